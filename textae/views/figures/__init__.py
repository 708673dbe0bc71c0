"""Still pictures, for papers and pages: the grid of codes, and the map of documents; png, svg and pdf."""
