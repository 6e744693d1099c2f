"""Tests of `miners`: shares of the command line, clusters around a positive."""

from pathlib import Path

import numpy as np
import pytest
from sparse_mining._files import InputError, write_json
from sparse_mining.bounds import Bounds, Margin, Window
from sparse_mining.clusters import Cluster, Clusters
from sparse_mining.miners import Batch, Miner, Share, miners, shares
from sparse_mining.mining import Plan, Sources, mine
from sparse_mining.negatives import false_negatives
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection, read_collection
from sparse_mining.searchers import Choices, Searcher
from sparse_mining.settings import Settings

TWO = [["food#0", "sky#0", "sky#1", "food#1", "money#0"], ["search#0", "search#1", "search#2"]]
PAIR = Pair(query_id="q", query="김치는 배추로", doc_id="food#0", kind="question")


@pytest.fixture
def embeddings(passages: Path, tmp_path: Path) -> Path:
    """A folder whose `clusters.json` puts each list of `TWO`, and all else, in a cluster."""
    rest = [i for i in read_collection(passages).ids() if i not in TWO[0] + TWO[1]]
    clusters = [
        Cluster(
            cluster_id=number,
            n_documents=len(ids),
            top_terms=(),
            doc_ids=tuple(ids),
            distances=tuple(0.1 * (rank + 1) for rank in range(len(ids))),
        )
        for number, ids in enumerate([*TWO, rest])
    ]
    folder = tmp_path / "embeddings"
    folder.mkdir()
    write_json(folder / "clusters.json", Clusters(n_clusters=3, seed=1, tried=(), clusters=tuple(clusters)))
    return folder


def made(passages: Path, embeddings: Path) -> tuple[Collection, Searcher, Miner]:
    collection = read_collection(passages)
    wanted = [Share("bm25", "bm25:words", 1), Share("clusters", "clusters", 2)]
    scorer, found = miners(wanted, collection, Choices(settings=Settings(), embeddings=embeddings))
    return collection, scorer, found[1]


def test_clusters_give_the_positives_cluster_nearest_the_centroid_first(passages: Path, embeddings: Path) -> None:
    collection, _, clusters = made(passages, embeddings)
    look = clusters.look(Batch([PAIR], [collection.rows["food#0"]]), Window(1, 100))[0]
    assert [collection.ids()[row] for row in look.rows] == TWO[0]
    assert list(look.ranks) == [1, 2, 3, 4, 5]
    assert look.scores == pytest.approx([0.95, 0.9, 0.85, 0.8, 0.75])
    assert look.query_scores[1] == 0.0


def test_a_window_leaves_the_middle_of_a_cluster_out_and_bounds_how_many_are_drawn(
    passages: Path, embeddings: Path
) -> None:
    collection, _, clusters = made(passages, embeddings)
    batch = Batch([PAIR], [collection.rows["food#0"]])
    ranks = clusters.look(batch, Window(3, 4))[0].ranks
    assert len(ranks) == 2
    assert set(ranks) <= {3, 4, 5}
    assert clusters.look(batch, Window(9, 12))[0].rows == []


def test_queries_of_one_cluster_do_not_all_get_the_same(passages: Path, embeddings: Path) -> None:
    collection, _, clusters = made(passages, embeddings)
    pairs = [Pair(query_id=f"q{i}", query="배추", doc_id="food#0", kind="question") for i in range(20)]
    looks = clusters.look(Batch(pairs, [collection.rows["food#0"]] * 20), Window(1, 2))
    assert len({tuple(look.rows) for look in looks}) > 5


def test_negatives_of_clusters_carry_their_rank_there(passages: Path, embeddings: Path) -> None:
    collection, scorer, clusters = made(passages, embeddings)
    plan = Plan(quotas={"clusters": 2}, n_easy=1, bounds=Bounds(margin=Margin(relative=None)))
    filters = false_negatives(collection, [PAIR], duplicates={}, judged={})
    sources = Sources(scorer=scorer, miners=[clusters], filters=filters)
    group = next(mine([PAIR], collection, sources=sources, plan=plan)).group
    assert group.labels == ("positive", "hard", "hard", "easy")
    assert set(group.d_ids[1:3]) <= {"sky#0", "sky#1", "money#0"}
    assert {f"clusters@{TWO[0].index(i) + 1}" for i in group.d_ids[1:3]} == set(group.sources[1:3])
    assert group.d_ids[3] not in TWO[0]


def test_clusters_are_made_where_none_are_given(passages: Path) -> None:
    collection = read_collection(passages)
    wanted = [Share("bm25", "bm25:words", 1), Share("clusters", "clusters", 2)]
    _, found = miners(wanted, collection, Choices(settings=Settings(), dimensions=4))
    look = found[1].look(Batch([PAIR], [collection.rows["food#0"]]), Window())[0]
    assert collection.rows["food#0"] in look.rows
    assert (np.diff(look.scores) <= 0).all()


def test_a_passage_without_a_cluster_is_named(passages: Path, tmp_path: Path) -> None:
    (tmp_path / "embeddings").mkdir()
    write_json(tmp_path / "embeddings" / "clusters.json", Clusters(n_clusters=0, seed=1, tried=(), clusters=()))
    with pytest.raises(InputError, match="passage 'search#0' is in no cluster"):
        made(passages, tmp_path / "embeddings")


def test_clusters_cannot_be_the_first_miner(passages: Path) -> None:
    with pytest.raises(InputError, match="the first one scores positives"):
        miners(shares("clusters,bm25", 7), read_collection(passages), Choices(settings=Settings()))


def test_a_miner_is_named_by_its_kind_or_where_that_comes_twice_by_all_of_it() -> None:
    assert shares("bm25:words=5,dense", 7) == [Share("bm25", "bm25:words", 5), Share("dense", "dense", 2)]
    assert [share.name for share in shares("bm25:words,bm25:kiwi,dense", 7)] == ["bm25:words", "bm25:kiwi", "dense"]


@pytest.mark.parametrize("text", ["bm25=9", "bm25=2", "bm25=x", "bm25,bm25"])
def test_quotas_that_do_not_add_up_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--miners"):
        shares(text, 7)
