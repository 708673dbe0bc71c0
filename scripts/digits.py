"""Write the handwritten digits that scikit-learn brings as pictures: FOLDER/<digit>/digit-<number>.png."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write(folder: Path) -> None:
    """Write all 1,797, of 8 × 8 pixels, white on black."""
    digits = load_digits()
    levels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    for number, (digit, image) in enumerate(zip(digits.target, levels, strict=True)):
        path = folder / str(digit) / f"digit-{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
