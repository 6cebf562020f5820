"""Posts are read: what needs no model first, then duplicates, then the model's judgements. Each step does only what is missing."""

from folate.pipeline.judge import read_judgements
from folate.pipeline.texts import read_texts
from folate.pipeline.workspace import Workspace
from nlp.sentiment import load


def annotate(workspace: Workspace, sentiment: bool = True) -> dict[str, int]:
    """Read all that has not been read with this vocabulary and model. Returns how many rows each step wrote."""
    done = read_texts(workspace)
    if sentiment:
        nlp = workspace.config.nlp
        done["judgements"] = read_judgements(workspace, load(nlp.model, nlp.threads, workspace.config.aspects, careful=nlp.careful))
    return done
