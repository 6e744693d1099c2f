"""Two hundred texts in Korean, English and both, of one sentence to a passage, on which forms of a model are compared.

Written for this package. A difference between two forms shows at some lengths, paddings and scripts only, so the
sentences are also put together: neighbours of one language, and of all three.
"""

KOREAN = (
    "희소 검색은 단어마다 가중치를 두고 역색인에서 문서를 찾는다.",
    "서울의 도서관에서 학생들이 검색 기술을 배웠습니다.",
    "비가 그치자 아이들은 골목으로 뛰어나가 공을 찼다.",
    "세금은 소득에 따라 달라지며 다음 해 오월에 신고한다.",
    "백업을 만들지 않고 서버를 올렸다가 자료를 잃은 적이 있다.",
    "할머니는 된장국에 두부와 애호박을 넣고 오래 끓이셨다.",
    "이 설정을 바꾸면 다시 시작한 뒤에야 효력이 생긴다.",
    "남쪽 바다에서 올라온 태풍이 내일 새벽 제주를 지난다.",
    "판결문은 계약을 해제할 수 있는 때를 자세히 적었다.",
    "형태소 분석기는 조사와 어미를 떼어 낸다.",
    "지하철은 아침마다 사람으로 붐비고 버스는 자주 늦는다.",
    "왜 어떤 질의는 답을 찾지 못할까?",
    "약을 먹기 전에 설명서를 끝까지 읽으십시오!",
    "은행 금리가 두 달째 올라 집값이 주춤했다.",
    "천문학자들은 먼 은하의 빛이 붉게 밀리는 것을 보았다.",
    "회의는 3월 14일 오후 2시 30분에 열립니다.",
    "쇼핑몰 뷔페에서 떡볶이와 샐러드를 함께 팔았다.",
    "권한이 없는 사용자에게는 오류 메시지를 보여 준다.",
    "가야금 소리가 강을 건너 들려왔다.",
    "늦었지만, 그래도 끝냈다.",
)
ENGLISH = (
    "Sparse retrieval keeps few terms of every document.",
    "The cluster refuses writes while a snapshot is being restored.",
    "Rain is expected along the coast before midnight.",
    "Why does the query time out after thirty seconds?",
    "A judge may dissolve the contract if either side was misled.",
    "Set the option to false and restart the service.",
    "She planted tomatoes, beans and a row of sunflowers.",
    "Version 2.4.1 fixes CVE-2024-31337 and 17 other issues.",
    "Tokenization splits words that the vocabulary does not hold.",
    "Galaxies recede faster the farther away they are.",
    "Interest rates rose for the second month in a row.",
    "See https://example.org/docs?page=7#install for details.",
)
MIXED = (
    "Kubernetes 클러스터를 업그레이드하기 전에 etcd 백업을 만든다.",
    "역색인(inverted index)은 term에서 문서로 가는 길이다.",
    "PowerShell에서 Get-ChildItem 명령으로 파일 목록을 봅니다.",
    "GPU 메모리가 16GB라면 batch size를 줄이세요.",
    "OpenSearch의 neural_sparse 질의는 model_id를 받는다.",
    "git commit --amend 는 마지막 커밋을 고친다.",
    "BERT와 같은 language model은 문맥을 벡터로 바꾼다.",
    "CEO는 Q3 매출이 12.5% 늘었다고 발표했다.",
)


def comparison_texts() -> list[str]:
    """The two hundred texts, always the same.

    >>> texts = comparison_texts()
    >>> len(texts), len(set(texts)), min(map(len, texts)), max(map(len, texts))
    (200, 200, 14, 551)
    """
    texts = [*KOREAN, *ENGLISH, *MIXED]
    number = 0
    while len(texts) < 200:
        n_sentences = 2 + number % 9
        languages = ((KOREAN,), (ENGLISH,), (MIXED, KOREAN), (KOREAN, ENGLISH, MIXED))[number % 4]
        sources = (languages[i % len(languages)] for i in range(n_sentences))
        text = " ".join(source[(number * 7 + i) % len(source)] for i, source in enumerate(sources))
        if text not in texts:
            texts.append(text)
        number += 1
    return texts
