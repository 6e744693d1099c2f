"""Discover, score, merge and apply a Korean-English synonym dictionary."""
