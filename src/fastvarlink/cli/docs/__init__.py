"""Documentation of interfaces: what a page says, and how it is written as Markdown and as HTML."""
