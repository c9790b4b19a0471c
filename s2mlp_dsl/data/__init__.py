"""From files to batches: which images, in which order, decoded and augmented.

Data order is a pure function of (seed, epoch, position), augmentation of (seed,
epoch, sample). So a resumed run sees what the uninterrupted one would have, with any
number of workers. What a recipe can name is in `recipe/datasets/` and
`recipe/augmentations/`.
"""
