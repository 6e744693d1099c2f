"""Put a sparse model and a corpus into OpenSearch and prove that it serves."""
