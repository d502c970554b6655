"""The report: changes gathered for readers, as text, Markdown, JSON or SARIF."""
