"""Tokenizer, model, training, encoding, inspection and export of Korean sparse encoders."""
