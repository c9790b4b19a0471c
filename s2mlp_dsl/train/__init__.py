"""The runner: trains a torch module by a recipe, in a folder that loses nothing.

It knows modules and recipes and nothing of syntax. Importing it imports torch.
"""

from s2mlp_dsl.train.errors import EnvironmentFailure, Interrupted, RunError, UsageError
from s2mlp_dsl.train.evaluate import evaluate
from s2mlp_dsl.train.initialise import initialise
from s2mlp_dsl.train.job import Evaluation, Guess, Job, Prediction, Summary
from s2mlp_dsl.train.plan import Plan, plan
from s2mlp_dsl.train.predict import image_files, predict
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.session import train
from s2mlp_dsl.train.share import export
from s2mlp_dsl.train.speed import Speed, speed
from s2mlp_dsl.train.start import Fit, load_weights

__all__ = [
    "EnvironmentFailure",
    "Evaluation",
    "Fit",
    "Guess",
    "Interrupted",
    "Job",
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
