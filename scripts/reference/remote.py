"""Families whose code lies on the hub beside the weights, written anew from the mathematics of that code: InternLM 2, EXAONE 3,
Baichuan, Qwen (1) and MiniCPM. All are LLaMA's block under other names; a module's name is that of the published file.
"""

from types import SimpleNamespace

import torch
from torch import nn


class Config(SimpleNamespace):
    """A config.json, with what the measuring scripts ask of a config."""

    _attn_implementation = "eager"

    def get_text_config(self):
        return self


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return self.weight * (x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.eps))


def rotated(x, positions, theta):
    """Component i of every head turns with i + w/2."""
    half = x.shape[-1] // 2
    angles = positions[:, None] / theta ** (torch.arange(half, dtype=x.dtype) * 2 / x.shape[-1])
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


class Attention(nn.Module):
    def __init__(self, names, c, fused):
        super().__init__()
        self.c, self.names, self.fused = c, names, fused
        heads, kv, w = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        outputs = [heads * w, kv * w, kv * w] if len(names) == 4 else [(heads + 2 * kv) * w]
        for name, width in zip(names, outputs):
            setattr(self, name, nn.Linear(c.hidden_size, width, bias=c.qkv_bias))
        setattr(self, names[-1], nn.Linear(heads * w, c.hidden_size, bias=c.output_bias))

    def forward(self, hidden_states):
        c, (batch, length, _) = self.c, hidden_states.shape
        heads, kv, w = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        parts = [getattr(self, name)(hidden_states) for name in self.names[:-1]]
        if self.fused == "by group":
            rows = parts[0].reshape(batch, length, kv, heads // kv + 2, w)
            q, k, v = rows[..., :-2, :].reshape(batch, length, heads, w), rows[..., -2, :], rows[..., -1, :]
        else:
            if self.fused == "in turn":
                parts = parts[0].split([heads * w, kv * w, kv * w], -1)
            q, k, v = (part.reshape(batch, length, -1, w) for part in parts)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        positions = torch.arange(length, dtype=q.dtype)
        if c.slopes is None:
            q, k = rotated(q, positions / c.rope_slower, c.rope_theta), rotated(k, positions / c.rope_slower, c.rope_theta)
        k, v = (x.repeat_interleave(heads // kv, 1) for x in (k, v))
        scores = q @ k.transpose(-1, -2) / w**0.5
        if c.slopes is not None:
            scores = scores + torch.tensor(c.slopes, dtype=q.dtype)[:, None, None] * positions
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
        mixed = nn.functional.softmax(scores, dim=-1) @ v
        return getattr(self, self.names[-1])(mixed.transpose(1, 2).reshape(batch, length, -1))


class Mlp(nn.Module):
    """`down(silu(gate(x)) * up(x))`; names in that order: gate, up, down."""

    def __init__(self, names, c):
        super().__init__()
        self.names = names
        for name, shape in zip(names, [(c.hidden_size, c.inner), (c.hidden_size, c.inner), (c.inner, c.hidden_size)]):
            setattr(self, name, nn.Linear(*shape, bias=False))

    def forward(self, hidden_states):
        gate, up, down = (getattr(self, name) for name in self.names)
        return down(nn.functional.silu(gate(hidden_states)) * up(hidden_states))


class Block(nn.Module):
    def __init__(self, names, c):
        super().__init__()
        self.names, self.factor = names, c.write_factor
        attention = Attention(names.qkv + [names.output], c, names.fused)
        if "." in names.attention:
            outer, inner = names.attention.split(".")
            holder = nn.Module()
            holder.add_module(inner, attention)
            self.add_module(outer, holder)
        else:
            self.add_module(names.attention, attention)
        self.add_module(names.mlp, Mlp(names.inner, c))
        for norm in names.norms:
            self.add_module(norm, Norm(c.hidden_size, c.eps))

    def forward(self, x):
        one, two = (self.get_submodule(norm) for norm in self.names.norms)
        x = x + self.get_submodule(self.names.attention)(one(x)) * self.factor
        return x + self.get_submodule(self.names.mlp)(two(x)) * self.factor


def names(base, layers, embedding, head, last, norms, attention, qkv, output, mlp, inner, fused=None):
    return SimpleNamespace(**locals())


LLAMA = names(
    *("model", "layers", "embed_tokens", "lm_head", "norm"),
    *(["input_layernorm", "post_attention_layernorm"], "self_attn", ["q_proj", "k_proj", "v_proj"], "o_proj"),
    *("mlp", ["gate_proj", "up_proj", "down_proj"]),
)
NAMES = {
    "baichuan": SimpleNamespace(**LLAMA.__dict__ | {"qkv": ["W_pack"], "fused": "in turn"}),
    "exaone": names(
        *("transformer", "h", "wte", "lm_head", "ln_f", ["ln_1", "ln_2"]),
        *("attn.attention", ["q_proj", "k_proj", "v_proj"], "out_proj", "mlp", ["c_fc_0", "c_fc_1", "c_proj"]),
    ),
    "internlm2": names(
        *("model", "layers", "tok_embeddings", "output", "norm", ["attention_norm", "ffn_norm"]),
        *("attention", ["wqkv"], "wo", "feed_forward", ["w1", "w3", "w2"], "by group"),
    ),
    "minicpm": LLAMA,
    "qwen": names(
        *("transformer", "h", "wte", "lm_head", "ln_f", ["ln_1", "ln_2"]),
        *("attn", ["c_attn"], "c_proj", "mlp", ["w2", "w1", "c_proj"], "in turn"),
    ),
}


def read(config: dict) -> Config:
    """The config, completed by what the published classes have where it says nothing."""
    c = Config(**config)
    family, say = c.model_type, lambda key, default: config.get(key, default)
    c.num_hidden_layers = say("num_hidden_layers", say("num_layers", None))
    c.num_key_value_heads = say("num_key_value_heads", c.num_attention_heads)
    c.head_dim = say("head_dim", say("kv_channels", c.hidden_size // c.num_attention_heads))
    c.inner = c.intermediate_size // 2 if family == "qwen" else c.intermediate_size
    c.eps = say("rms_norm_eps", say("layer_norm_epsilon", 1e-6))
    c.rope_theta = say("rope_theta", say("rotary_emb_base", 10000.0))
    scaling = say("rope_scaling", None) or {}
    c.rope_slower = scaling["factor"] if scaling.get("type") == "linear" else 1.0
    c.qkv_bias = family == "qwen" or (family == "internlm2" and say("bias", True))
    c.output_bias = family == "internlm2" and say("bias", True)
    c.tie_word_embeddings = say("tie_word_embeddings", family == "minicpm")
    c.slopes = slopes(c.num_attention_heads) if family == "baichuan" and "max_position_embeddings" not in config else None
    mup = family == "minicpm"
    c.embedding_factor = say("scale_emb", 1) if mup else 1
    c.write_factor = say("scale_depth", 1) / c.num_hidden_layers**0.5 if mup else 1.0
    c.head_divisor = c.hidden_size / say("dim_model_base", 1) if mup else 1.0
    return c


def slopes(heads: int) -> list:
    """ALiBi's, as its authors give them for any number of heads."""
    power = 2 ** (heads.bit_length() - 1)
    first = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    between = [2 ** (-8 * (i + 1) / (2 * power)) for i in range(2 * power)][0::2]
    return first + between[: heads - power]


class Remote(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.raw, self.config = config, read(config)
        c, self.names = self.config, NAMES[config["model_type"]]
        self.base_model_prefix = self.names.base
        stack = nn.Module()
        stack.add_module(self.names.embedding, nn.Embedding(c.vocab_size, c.hidden_size))
        stack.add_module(self.names.layers, nn.ModuleList(Block(self.names, c) for _ in range(c.num_hidden_layers)))
        stack.add_module(self.names.last, Norm(c.hidden_size, c.eps))
        self.add_module(self.names.base, stack)
        self.add_module(self.names.head, nn.Linear(c.hidden_size, c.vocab_size, bias=False))
        if c.tie_word_embeddings:
            self.get_output_embeddings().weight = self.get_input_embeddings().weight

    def get_input_embeddings(self):
        return self.get_submodule(f"{self.names.base}.{self.names.embedding}")

    def get_output_embeddings(self):
        return self.get_submodule(self.names.head)

    def base_model(self, ids, use_cache=False):
        """The stream after the last norm, `[1, T, D]`."""
        stack = self.get_submodule(self.names.base)
        x = self.get_input_embeddings()(ids) * self.config.embedding_factor
        for block in stack.get_submodule(self.names.layers):
            x = block(x)
        return stack.get_submodule(self.names.last)(x)

    def forward(self, ids, use_cache=False):
        hidden = self.base_model(ids)
        return SimpleNamespace(logits=self.get_output_embeddings()(hidden / self.config.head_divisor))
