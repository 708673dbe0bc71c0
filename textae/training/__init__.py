"""Training: bags and pixels become a model. The only room that imports torch.

Networks, losses, the training loop, and what starts or ends learning: LSA, neighbours, quantisation, fine-tuning.
It reads no documents and writes no index; a trained network leaves it as plain arrays of `textae.encoding`.
"""
