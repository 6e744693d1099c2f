"""A real OpenSearch for development and tests, put together from published artifacts: no Docker, Java or Maven needed.

`spec` says which server, `artifacts` fetches its parts, `assembly` puts them together once, `runtime` finds a Java, and
`process` starts and stops nodes.
"""
