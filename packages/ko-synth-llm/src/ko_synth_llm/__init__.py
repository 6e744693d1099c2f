"""Any LLM as a batch function over JSON Lines, with Korean retrieval tasks on top."""
