"""MiniStack, the local AWS, at its pinned version and with its known gaps closed."""
