"""The bench: what the portal costs beside what it would cost by hand, in the same run (docs/performance.md)."""
