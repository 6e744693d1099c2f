"""The losses of training, one to a file, each a pure function of tensors that adds up with the others by weight."""
