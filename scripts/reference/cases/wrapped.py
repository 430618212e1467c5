"""Models of images and text, in small checkpoints with the names of published files: the text stack is measured on text."""

from .case import Case, rope
from .flags import LENGTHS, small, without

# Where published files have the parts of the wrappers, and where the library has them: pairs of regular expressions on
# the library's names and replacements.
LLAVA = (
    (r"^model\.language_model\.", "language_model.model."),
    (r"^lm_head\.", "language_model.lm_head."),
    (r"^model\.(vision_tower|multi_modal_projector|image_newline)", r"\1"),
)
QWEN = ((r"^model\.language_model\.", "model."), (r"^model\.visual\.", "visual."))

CLIP = {
    "hidden_size": 8,
    "image_size": 8,
    "intermediate_size": 8,
    "model_type": "clip_vision_model",
    "num_attention_heads": 1,
    "num_hidden_layers": 1,
    "patch_size": 4,
    "projection_dim": 8,
    "vocab_size": 8,
}
SIGLIP = without(CLIP, "projection_dim", "vocab_size") | {"model_type": "siglip_vision_model"}
PIXTRAL = without(SIGLIP, "model_type") | {"head_dim": 8, "model_type": "pixtral"}
VISUAL = {
    "depth": 1,
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_heads": 1,
    "out_hidden_size": 24,
    "patch_size": 4,
}
# The last rows of the vocabulary stand for images; prompts do not name them.
IMAGE = 66
IDS = {"image_token_id": IMAGE, "video_token_id": 65, "vision_start_token_id": 64, "vision_end_token_id": 63}


def text(model_type, **more):
    config = without(small(model_type, ""), "architectures", "bos_token_id", "eos_token_id", "pad_token_id")
    return config | more


def wrapped(model_type, architecture, text_config, vision, **more):
    config = {"architectures": [architecture], "model_type": model_type, "vision_config": vision} | more
    return config | {"text_config": text_config}


def case(name, notes, config, **more):
    dtype = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}[name.rsplit("_", 1)[1]]
    return Case(name, dtype, notes, config | {"torch_dtype": dtype}, lengths=LENGTHS, **more)


MROPE = {"mrope_section": [1, 1, 1], "rope_type": "default", "type": "default"}

CASES = [
    case(
        "gemma3_wrapper_4b_keys_bf16",
        "gemma3_text in the published wrapper: keys of the 4B, sizes and tying by default; names of the published files",
        wrapped(
            "gemma3",
            "Gemma3ForConditionalGeneration",
            {
                "head_dim": 8,
                "hidden_size": 24,
                "intermediate_size": 37,
                "model_type": "gemma3_text",
                "num_attention_heads": 4,
                "num_hidden_layers": 3,
                "num_key_value_heads": 2,
                "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
                "sliding_window": 5,
                "sliding_window_pattern": 3,
                "vocab_size": 67,
            },
            SIGLIP,
            boi_token_index=65,
            eoi_token_index=64,
            image_token_index=IMAGE,
            mm_tokens_per_image=4,
        ),
        rename=LLAVA,
        scales={"embed_tokens": 0.4},
    ),
    case(
        "mistral3_wrapper_bf16",
        "mistral with a head of its own; names of the published files",
        wrapped(
            "mistral3",
            "Mistral3ForConditionalGeneration",
            text("mistral", head_dim=8, sliding_window=None, rope_theta=1000000.0),
            PIXTRAL,
            image_token_index=IMAGE,
            multimodal_projector_bias=False,
            projector_hidden_act="gelu",
            spatial_merge_size=1,
            tie_word_embeddings=False,
            vision_feature_layer=-1,
        ),
        rename=LLAVA,
    ),
    case(
        "mistral3_wrapper_ministral3_f16",
        "ministral3 inside, tied, queries that grow with the position; names of new exports",
        wrapped(
            "mistral3",
            "Mistral3ForConditionalGeneration",
            without(
                text(
                    "ministral3",
                    head_dim=6,
                    rope_parameters=rope(10000.0)
                    | {"llama_4_scaling_beta": 0.5, "original_max_position_embeddings": 8},
                    sliding_window=None,
                    tie_word_embeddings=True,
                ),
                "rope_theta",
            ),
            PIXTRAL,
            image_token_index=IMAGE,
            spatial_merge_size=1,
            tie_word_embeddings=True,
            vision_feature_layer=-1,
        ),
    ),
    case(
        "qwen2_5_vl_flat_bf16",
        "qwen2 with M-RoPE, the text stack's keys beside the others, as the first configs have them; names of those files",
        wrapped(
            "qwen2_5_vl",
            "Qwen2_5_VLForConditionalGeneration",
            None,
            VISUAL | {"fullatt_block_indexes": [0], "spatial_merge_size": 1, "window_size": 8},
            **without(text("", max_window_layers=2, sliding_window=5, use_sliding_window=False), "model_type"),
            **IDS,
            rope_scaling={"mrope_section": [1, 1, 1], "type": "mrope"},
            tie_word_embeddings=False,
        ),
        rename=QWEN,
    ),
    case(
        "qwen2_5_vl_nested_window_f16",
        "text_config, tied, windows from block 1 on; names of new exports",
        wrapped(
            "qwen2_5_vl",
            "Qwen2_5_VLForConditionalGeneration",
            text(
                "qwen2_5_vl_text",
                max_window_layers=1,
                rope_scaling=MROPE,
                sliding_window=5,
                tie_word_embeddings=True,
                use_sliding_window=True,
            ),
            VISUAL | {"fullatt_block_indexes": [0], "spatial_merge_size": 1, "window_size": 8},
            **IDS,
            tie_word_embeddings=True,
        ),
    ),
    case(
        "qwen3_vl_bf16",
        "qwen3 with interleaved M-RoPE; untied; keys of the 8B",
        wrapped(
            "qwen3_vl",
            "Qwen3VLForConditionalGeneration",
            text(
                "qwen3_vl_text",
                attention_bias=False,
                head_dim=8,
                rope_scaling={"mrope_interleaved": True, "mrope_section": [2, 1, 1], "rope_type": "default"},
                rope_theta=5000000,
            ),
            VISUAL | {"deepstack_visual_indexes": [0], "num_position_embeddings": 4, "spatial_merge_size": 1},
            **IDS,
            tie_word_embeddings=False,
        ),
    ),
    case(
        "llava_1_5_bf16",
        "llama; names of the published files",
        wrapped(
            "llava",
            "LlavaForConditionalGeneration",
            text("llama"),
            CLIP,
            image_token_index=IMAGE,
            projector_hidden_act="gelu",
            tie_word_embeddings=False,
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
        ),
        rename=LLAVA,
    ),
    case(
        "llava_next_mistral_f16",
        "mistral inside, a window; names of the published files",
        wrapped(
            "llava_next",
            "LlavaNextForConditionalGeneration",
            text("mistral", head_dim=6, sliding_window=5),
            CLIP,
            image_grid_pinpoints=[[8, 8]],
            image_token_index=IMAGE,
            projector_hidden_act="gelu",
            tie_word_embeddings=False,
        ),
        rename=LLAVA,
    ),
    case(
        "llava_onevision_qwen2_bf16",
        "qwen2 inside, tied as its own config says; names of the published files",
        wrapped(
            "llava_onevision",
            "LlavaOnevisionForConditionalGeneration",
            text("qwen2", max_window_layers=2, sliding_window=None, tie_word_embeddings=True),
            SIGLIP,
            image_grid_pinpoints=[[8, 8]],
            image_token_index=IMAGE,
            projector_hidden_act="gelu",
            tie_word_embeddings=False,
            video_token_index=65,
        ),
        rename=LLAVA,
    ),
    case(
        "glm4v_bf16",
        "glm4 with biases on q, k and v and M-RoPE on half of each head; keys of the 9B",
        wrapped(
            "glm4v",
            "Glm4vForConditionalGeneration",
            text(
                "glm4v_text",
                hidden_size=32,
                partial_rotary_factor=0.5,
                rope_scaling={"mrope_section": [1, 1], "type": "default"},
            ),
            VISUAL | {"image_size": 8, "out_hidden_size": 32, "spatial_merge_size": 1},
            image_end_token_id=62,
            image_start_token_id=61,
            image_token_id=IMAGE,
            tie_word_embeddings=False,
            video_end_token_id=60,
            video_start_token_id=59,
            video_token_id=65,
        ),
    ),
    case(
        "idefics3_f16",
        "llama inside; names of the published files",
        wrapped(
            "idefics3",
            "Idefics3ForConditionalGeneration",
            text("llama", pad_token_id=0),
            without(SIGLIP, "model_type") | {"model_type": "idefics3_vision"},
            image_token_id=IMAGE,
            scale_factor=2,
            tie_word_embeddings=False,
        ),
    ),
]
CASES = [
    Case(**{**case.__dict__, "config": {key: value for key, value in case.config.items() if value is not None}})
    for case in CASES
]
