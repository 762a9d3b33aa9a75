"""Types of options that several commands share."""

import click

from adain import weights
from adain.errors import AdaINError


class ModelName(click.ParamType[str]):
    """A model of the registry: built in, or imported by whenever the command is run."""

    name = "model"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        try:
            return weights.about(str(value)).name
        except AdaINError as error:
            self.fail(str(error).removeprefix("model: "), param, context)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"Allowed: {weights.one_of(weights.models())}"


MODEL = ModelName()
