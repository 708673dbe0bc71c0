"""Figures: the grid of codes and the map of documents, as png, svg and pdf."""
