"""Search a Korean corpus in every way that matters and turn results into training groups."""
