//! The choices of a family that is "LLaMA with ..": a [`Decoder`] has one value for each, LLaMA's where the family says
//! nothing.

pub(super) use super::mlp_layers::MlpLayers;
use super::{
    ArchError, Initial, Names, kinds::Kinds, latent::Latent, limit::PromptLimit, mixture::Mixture,
    rope::Rope, sizes::Sizes, sizes::epsilon,
};
use crate::nn::{activation::Activation, attention::Attention, mask::Mask};

/// A decoder of blocks with attention and an MLP, as one config of one family describes it.
#[derive(Debug)]
pub(super) struct Decoder {
    /// `model_type`.
    pub family: &'static str,
    pub sizes: Sizes,
    /// A limit on prompts below the context.
    pub limit: Option<PromptLimit>,
    /// Names outside blocks, and whether the head is the embedding.
    pub names: Names,
    /// Modules of a block: the one that holds the attention's weights, and the MLP's.
    pub modules: [&'static str; 2],
    /// Factor on the embedding rows.
    pub embedding_scale: Option<f32>,
    /// Positions that do not turn q and k.
    pub positions: Positions,
    /// Norm of the stream before the first block.
    pub embedding_norm: Option<&'static str>,
    pub residual: Residual,
    /// Factor on what each branch writes to the stream.
    pub write_scale: Option<f32>,
    pub norm: Norm,
    pub norms: Norms,
    pub qkv: Qkv,
    /// Bound on every component of q, k and v.
    pub qkv_clip: Option<f32>,
    pub qk_norm: Option<QkNorm>,
    pub temperature: Option<Temperature>,
    /// Name of a number for each query head: a logit beside its scores, whose share of attention goes to no token.
    pub sinks: Option<&'static str>,
    /// The linear layer whose logistic function, of the module's input, is a factor on what heads mix.
    pub gate: Option<&'static str>,
    /// Name of the projection after attention.
    pub output: &'static str,
    /// Norms before the last matrices of attention and of the MLP.
    pub inner_norms: [Option<&'static str>; 2],
    pub biases: Biases,
    /// Tables of rotary positions; a layer names one by its index.
    pub ropes: Vec<Rope>,
    pub layers: Kinds<Layer>,
    pub mlp: MlpLayers,
    /// What routed layers have in place of the MLP.
    pub mixture: Option<Mixture>,
    pub activation: Activation,
    /// The head's rows have length 1 where it reads them.
    pub unit_head: bool,
    /// Factor on the logits.
    pub logit_scale: Option<f32>,
    /// Soft cap on the logits, after the factor.
    pub logit_cap: Option<f32>,
    /// Deviation of weights before training where the config does not say.
    pub initializer_range: f64,
    /// The initial values of tensors that do not follow the common rule.
    pub initial: fn(&str) -> Option<Initial>,
}

/// A layer's heads, widths, mask and positions. Layers that are equal share a graph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layer {
    pub heads: Attention,
    /// Components inside the MLP, or inside each expert.
    pub mlp_width: usize,
    /// The layer has experts in place of the MLP.
    pub routed: bool,
    pub mask: Mask,
    /// Index of the rotary tables that turn q and k; `None`: attention sees no positions.
    pub rope: Option<usize>,
}

/// The stream that branches read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Residual {
    /// The MLP reads the stream after attention has written.
    Sequential,
    /// Both read the stream before the block; an MLP without a norm of its own reads through the attention's.
    Parallel,
}

/// The norm that a family uses everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub kind: NormKind,
    pub eps: f64,
}

/// The formula of a norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NormKind {
    /// RMSNorm.
    Rms,
    /// RMSNorm whose stored weight is the distance from 1.
    RmsFromOne,
    /// RMSNorm without a weight.
    RmsWithoutWeight,
    /// LayerNorm with weight and bias.
    Layer,
    /// LayerNorm with a bias, whose stored weight is the distance from 1.
    LayerFromOne,
    LayerWithoutBias,
    /// LayerNorm without weight and bias.
    LayerWithoutWeight,
}

impl NormKind {
    /// The root mean square is divided by, without taking the mean away.
    pub(super) fn is_rms(self) -> bool {
        matches!(self, NormKind::Rms | NormKind::RmsFromOne | NormKind::RmsWithoutWeight)
    }
}

/// Positions that do not turn q and k.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Positions {
    None,
    /// A stored table with a row for each position, whose first `offset` rows belong to none.
    Learned {
        table: &'static str,
        offset: usize,
    },
    /// The sines and cosines of [`add_sinusoids`](crate::nn::positions::add_sinusoids), of each position plus `offset`.
    Sinusoids {
        offset: usize,
    },
    /// ALiBi with the slope of each head; layers have [`Mask::alibi`].
    Alibi {
        slopes: Vec<f32>,
    },
}

/// A factor on the queries that grows with the position: `1 + beta · ln(1 + ⌊position / original⌋)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Temperature {
    pub beta: f32,
    /// Positions before this one have the factor 1.
    pub original: f32,
    /// Position of a prompt's first token.
    pub first: usize,
    /// Or only in blocks in which q and k do not turn.
    pub everywhere: bool,
}

/// Names of the norms of a block, and of the last one, in the base model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norms {
    pub attention: Around,
    pub mlp: Around,
    pub last: &'static str,
}

/// The norms of a branch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// Norm of the module's input.
    pub before: Option<&'static str>,
    /// Norm of the module's output, before that is added to the stream.
    pub after: Option<&'static str>,
}

/// The matrices of q, k and v, by their names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Qkv {
    /// A matrix for each.
    Apart([&'static str; 3]),
    /// One matrix: the rows of all queries, of all keys, of all values.
    InTurn(&'static str),
    /// One matrix: key/value head by key/value head, the rows of its group's queries, of its key, of its value.
    ByGroup(&'static str),
    /// One matrix of so many equal shards: in each the rows of some heads' queries, of their values, of their keys.
    Shards(&'static str, usize),
    /// By way of latents of few components.
    Latent(Latent),
}

/// The norms on q and k.
#[derive(Clone, Copy, Debug)]
pub(super) struct QkNorm {
    pub names: [&'static str; 2],
    pub weights: QkWeights,
    /// The norms follow the rotation instead of leading it.
    pub turned: bool,
}

/// The sharing of a norm's weights between heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QkWeights {
    /// Over each head, `[w]` for all heads.
    Shared,
    /// Over each head, `[heads, w]`.
    ByHead,
    /// Over each head, without biases, as tensors `norms.<head>.weight [w]`.
    Listed,
    /// Over all heads at once, `[heads·w]`.
    Whole,
    /// Over each head, without weights, in blocks in which q and k turn.
    NoneWhereTurned,
}

/// The linear layers that have biases.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Biases {
    pub qkv: bool,
    pub output: bool,
    pub mlp: bool,
}

impl Decoder {
    /// LLaMA without biases.
    pub(super) fn like_llama(
        family: &'static str,
        (sizes, heads): (Sizes, Attention),
        norm: Norm,
        rope: Rope,
        activation: Activation,
        tied: bool,
    ) -> Decoder {
        let mlp_width = sizes.intermediate_size;
        let layer = Layer { heads, mlp_width, routed: false, mask: Mask::everywhere(None), rope: Some(0) };
        Decoder {
            family,
            limit: None,
            names: Names::like_llama(tied),
            modules: ["self_attn", "mlp"],
            embedding_scale: None,
            positions: Positions::None,
            embedding_norm: None,
            residual: Residual::Sequential,
            write_scale: None,
            norm,
            norms: Norms::before("input_layernorm", "post_attention_layernorm"),
            qkv: Qkv::Apart(["q_proj", "k_proj", "v_proj"]),
            qkv_clip: None,
            qk_norm: None,
            temperature: None,
            sinks: None,
            gate: None,
            output: "o_proj",
            inner_norms: [None; 2],
            biases: Biases::default(),
            ropes: vec![rope],
            layers: Kinds::new(vec![layer; sizes.num_hidden_layers]),
            mlp: MlpLayers::Gated(["gate_proj", "up_proj", "down_proj"]),
            mixture: None,
            activation,
            unit_head: false,
            logit_scale: None,
            logit_cap: None,
            initializer_range: 0.02,
            initial: |_| None,
            sizes,
        }
    }

    /// The decoder with every layer changed, given its index.
    pub(super) fn with_layers(mut self, change: impl Fn(usize, Layer) -> Layer) -> Decoder {
        let layers = (0..self.sizes.num_hidden_layers)
            .map(|layer| change(layer, *self.layers.get(self.layers.of(layer))));
        self.layers = Kinds::new(layers);
        self
    }

    /// The decoder with the same window, or none, in every layer.
    pub(super) fn with_window(self, window: Option<usize>) -> Decoder {
        self.with_layers(|_, layer| Layer { mask: Mask::everywhere(window), ..layer })
    }

    /// The decoder with the window of each layer, or none.
    pub(super) fn with_windows(self, windows: &[Option<usize>]) -> Decoder {
        self.with_layers(|index, layer| Layer { mask: Mask::of_layer(windows[index]), ..layer })
    }

    /// The decoder whose scores are multiplied by this factor instead of 1/√head_width, in every layer.
    pub(super) fn with_score_scale(self, scale: f32) -> Decoder {
        self.with_layers(|_, layer| Layer { heads: Attention { scale, ..layer.heads }, ..layer })
    }

    /// The decoder in which q and k turn in these layers alone.
    pub(super) fn turning_where(self, turns: impl Fn(usize) -> bool) -> Decoder {
        self.with_layers(|index, layer| Layer { rope: layer.rope.filter(|_| turns(index)), ..layer })
    }

    /// The decoder with ALiBi instead of rotary positions.
    pub(super) fn with_alibi(self, slopes: Vec<f32>) -> Decoder {
        let decoder = self.with_layers(|_, layer| Layer { mask: Mask::alibi(), rope: None, ..layer });
        Decoder { positions: Positions::Alibi { slopes }, ropes: Vec::new(), ..decoder }
    }

    /// The decoder with these positions instead of rotary ones.
    pub(super) fn with_positions(self, positions: Positions) -> Decoder {
        Decoder { positions, ropes: Vec::new(), ..self.turning_where(|_| false) }
    }

    /// The decoder with a mixture of experts in the layers that `routed` says.
    pub(super) fn with_mixture(self, mixture: Mixture, routed: &[bool]) -> Decoder {
        let decoder = self.with_layers(|index, layer| match routed[index] {
            true => Layer { mlp_width: mixture.width, routed: true, ..layer },
            false => layer,
        });
        Decoder { mixture: Some(mixture), ..decoder }
    }

    /// A size that all layers share, if they do.
    pub(super) fn shared(&self, size: impl Fn(&Layer) -> usize) -> Option<u32> {
        let first = size(self.layers.get(0));
        self.layers.iter().all(|layer| size(layer) == first).then_some(first as u32)
    }

    /// q and k are normed before they are taken apart into heads.
    pub(super) fn normed_whole(&self) -> bool {
        self.qk_norm.is_some_and(|norm| norm.weights == QkWeights::Whole)
    }
}

impl QkNorm {
    /// Norms with these names that lead the rotation.
    pub(super) fn new(names: [&'static str; 2], weights: QkWeights) -> QkNorm {
        QkNorm { names, weights, turned: false }
    }
}

impl Norm {
    /// RMSNorm with the epsilon that the config has under `key`.
    pub(super) fn rms(family: &'static str, key: &str, eps: f64) -> Result<Norm, ArchError> {
        Norm::new(NormKind::Rms, family, key, eps)
    }

    pub(super) fn new(kind: NormKind, family: &'static str, key: &str, eps: f64) -> Result<Norm, ArchError> {
        epsilon(family, key, eps)?;
        Ok(Norm { kind, eps })
    }
}

impl Norms {
    /// Norms of the inputs of attention and MLP.
    pub(super) fn before(attention: &'static str, mlp: &'static str) -> Norms {
        let before = |name| Around { before: Some(name), after: None };
        Norms { attention: before(attention), mlp: before(mlp), last: "norm" }
    }

    /// Norms of the outputs of attention and MLP.
    pub(super) fn after(attention: &'static str, mlp: &'static str) -> Norms {
        let after = |name| Around { before: None, after: Some(name) };
        Norms { attention: after(attention), mlp: after(mlp), last: "norm" }
    }

    /// Norms of the inputs and of the outputs of attention and MLP.
    pub(super) fn around(attention: [&'static str; 2], mlp: [&'static str; 2]) -> Norms {
        let around = |[before, after]: [_; 2]| Around { before: Some(before), after: Some(after) };
        Norms { attention: around(attention), mlp: around(mlp), last: "norm" }
    }

    /// One norm that both branches of a parallel block read through.
    pub(super) fn shared(name: &'static str) -> Norms {
        let none = Around { before: None, after: None };
        Norms { attention: Around { before: Some(name), after: None }, mlp: none, last: "norm" }
    }
}

impl Biases {
    /// The same for every linear layer.
    pub(super) fn all(bias: bool) -> Biases {
        Biases { qkv: bias, output: bias, mlp: bias }
    }

    /// The same for every linear layer of attention; none in the MLP.
    pub(super) fn attention(bias: bool) -> Biases {
        Biases { qkv: bias, output: bias, mlp: false }
    }
}
