"""The rights that deploying needs, and no more: a role for the security plugin.

`os-deploy role NAME` prints it, so that what is documented is what is tested.
"""

from os_deploy.indices import Body

CLUSTER_RIGHTS = [
    "cluster:monitor/main",
    "cluster:monitor/health",
    "cluster:monitor/state",
    "cluster:monitor/nodes/info",
    "cluster:monitor/nodes/stats",
    "cluster:admin/ingest/pipeline/put",
    "cluster:admin/ingest/pipeline/get",
    "cluster:admin/ingest/pipeline/delete",
    "cluster:admin/search/pipeline/put",
    "cluster:admin/search/pipeline/get",
    "cluster:admin/search/pipeline/delete",
    "cluster:admin/opensearch/ml/*",
    "indices:data/write/bulk",
    "indices:data/read/mget",
]

SETTINGS_RIGHT = "cluster:admin/settings/update"
"""Needed only with `--fix-settings`."""

LOOKING_RIGHTS = ["indices:admin/mappings/get", "indices:admin/aliases/get", "indices:admin/resolve/index"]
"""On all indices: what other deployments use must be seen before a model is deleted."""

INDEX_RIGHTS = [
    "indices:admin/create",
    "indices:admin/delete",
    "indices:admin/get",
    "indices:admin/aliases",
    "indices:admin/aliases/get",
    "indices:admin/mapping/put",
    "indices:admin/settings/update",
    "indices:admin/refresh*",
    "indices:admin/forcemerge*",
    "indices:admin/open",
    "indices:admin/close*",
    "indices:monitor/settings/get",
    "indices:monitor/stats",
    "indices:data/read/*",
    "indices:data/write/bulk*",
    "indices:data/write/index",
]


def deployer_role(name: str, *, fix_settings: bool = False) -> Body:
    """The role of who deploys `name`, as the security plugin's API takes it."""
    return {
        "cluster_permissions": [*CLUSTER_RIGHTS, *([SETTINGS_RIGHT] if fix_settings else [])],
        "index_permissions": [
            {"index_patterns": [name, f"{name}-v*"], "allowed_actions": INDEX_RIGHTS},
            {"index_patterns": ["*"], "allowed_actions": LOOKING_RIGHTS},
        ],
    }


def reader_role(name: str) -> Body:
    """The role of who searches `name`."""
    return {
        "cluster_permissions": ["cluster:admin/opensearch/ml/predict", "cluster:admin/opensearch/ml/models/get"],
        "index_permissions": [
            {
                "index_patterns": [name, f"{name}-v*"],
                "allowed_actions": ["indices:data/read/*", "indices:admin/mappings/get", "indices:admin/aliases/get"],
            }
        ],
    }
