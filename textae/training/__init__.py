"""Training: bags and pixels become a model. The only folder that imports torch.

It holds the networks, the losses, the training loop, LSA, neighbours, quantisation and fine-tuning. It reads no
documents and writes no index; a trained network leaves the folder as plain arrays of `textae.encoding`.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch loads it (`textae.training.threads`)
