"""The English words under which slices, measures and facts are shown in tables, plots and reports."""

FACT_NAMES = {
    "document_active_terms": "doc terms",
    "query_active_terms": "query terms",
    "flops": "FLOPS",
    "query_ms": "ms/query",
}

_VALUES = {"ko": "Korean", "en": "English", "mixed": "Code-mixed", "ko-en": "Code-mixed", "code_mixed": "Code-mixed"}


def slice_label(slice_name: str) -> str:
    """A slice as people call it.

    >>> slice_label("all"), slice_label("lang=ko"), slice_label("kind=code_mixed"), slice_label("kind=keyword")
    ('All', 'Korean', 'Code-mixed', 'Keyword')
    """
    value = slice_name.partition("=")[2] or slice_name
    return _VALUES.get(value, value[:1].upper() + value[1:].replace("_", " "))


def fact_text(name: str, value: float | None) -> str:
    """A fact with as many digits as it deserves; a dash where it is not known.

    >>> fact_text("document_active_terms", 87.3333), fact_text("query_ms", 0.1234), fact_text("flops", None)
    ('87.3', '0.12', '–')
    """
    if value is None:
        return "–"
    return f"{value:.1f}" if name.endswith("_terms") else f"{value:.2f}"


def p_text(p_value: float) -> str:
    """A p-value as text.

    >>> p_text(0.0312), p_text(0.000099)
    ('0.031', '<0.001')
    """
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"
