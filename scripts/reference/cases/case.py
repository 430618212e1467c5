"""What one golden checkpoint is."""

from dataclasses import dataclass, field

PROMPT_LENGTHS = (1, 2, 5, 17, 23)


@dataclass(frozen=True)
class Case:
    name: str
    dtype: str  # of the stored tensors: "float32", "bfloat16" or "float16"
    notes: str
    config: dict  # written to config.json verbatim
    shards: int = 1
    buffers: bool = False  # also store the non-weight tensors that old hub files carry
    strip: str = ""  # prefix that the file's names lack, as the hub's file does
    rename: tuple = ()  # pairs of a regular expression on the library's names and what stands there in the hub's file
    head: bool = False  # store the head tensor although it is tied
    # Which of the library's attention implementations is measured; they agree unless a case says why it needs one.
    attention: str = "eager"
    # Changes of the config that each must move the longest prompt's observations: a switch that decides nothing in
    # this case is not tested by it.
    acts: tuple = ()
    scales: dict = field(default_factory=dict)  # part of a tensor's name -> factor on its random values
    lengths: tuple = PROMPT_LENGTHS  # of its prompts, tokens
    seed: int | None = None  # of the random numbers; None: from the name, so that a new case changes no other

    @property
    def family(self) -> str:
        return self.config["model_type"]

    @property
    def words(self) -> int:
        """How many ids prompts are drawn from: the last of a model of images and text stand for images."""
        if "vision_config" in self.config:
            return self.config.get("text_config", self.config)["vocab_size"] - 8
        return self.config["vocab_size"]


def rope(theta, **more):
    return {"rope_type": "default", "rope_theta": theta} | more


# Original context 32, theta 500 and head_dim 12 put one frequency into each regime of the llama3 rule and more
# into the last: kept (wavelength < 8), blended, divided by 8 (wavelength > 32).
LLAMA3 = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
    "rope_type": "llama3",
}


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}
