"""The tables of all limits in docs/operations.md, row by row, beside what the product has."""
