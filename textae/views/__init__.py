"""Views: pictures, pages and characters that show what `textae.explore` and `textae.search` found.

Colours, labels, files that a person opens. It computes no topic, no map and no ranking, and knows no command line.
"""
