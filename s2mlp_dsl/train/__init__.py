"""The runner: trains a torch module by a recipe, in a folder that survives any crash.

It knows modules and recipes, and nothing of syntax. Importing it imports torch.
`trainer.py` is the loop.
"""

from s2mlp_dsl.errors import EnvironmentFailure, Interrupted, RunError, UsageError
from s2mlp_dsl.train.evaluate import evaluate, image_files, predict
from s2mlp_dsl.train.export import export
from s2mlp_dsl.train.job import Evaluation, Guess, Job, Prediction, Summary
from s2mlp_dsl.train.model import initialise
from s2mlp_dsl.train.plan import Plan, Speed, plan, speed
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.trainer import train
from s2mlp_dsl.train.weights import LoadReport, load_weights

__all__ = [
    "EnvironmentFailure",
    "Evaluation",
    "Guess",
    "Interrupted",
    "Job",
    "LoadReport",
    "Plan",
    "Prediction",
    "Run",
    "RunError",
    "Speed",
    "Summary",
    "UsageError",
    "evaluate",
    "export",
    "image_files",
    "initialise",
    "load_weights",
    "plan",
    "predict",
    "speed",
    "train",
]
