"""Views: pictures, pages and characters that show the results of `textae.explore` and `textae.search`.

Colours, labels and files for people. It computes no topic, map or ranking, and knows neither shell nor server.
"""
