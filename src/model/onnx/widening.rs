//! A graph of one node that widens one weight, for devices: half as many bytes then go over the bus.

use prost::Message;

use super::{
    encode::{IR_VERSION, OPSET, Stored, int},
    proto::{
        GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorTypeProto, TypeProto, ValueInfoProto,
    },
};

/// Name of the input, a weight of any shape as it is stored.
pub const STORED: &str = "stored";
/// Name of the output, the same in float32.
pub const WIDENED: &str = "float32";

/// The encoded graph.
pub fn widening(stored: Stored) -> Vec<u8> {
    let float = Stored::F32.data_type();
    // Without a shape: any number of dimensions.
    let value = |name: &str, elem_type: i32| ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto { elem_type: Some(elem_type), shape: None }),
        }),
    };
    let cast = NodeProto {
        input: vec![STORED.to_string()],
        output: vec![WIDENED.to_string()],
        name: Some("widen".to_string()),
        op_type: Some("Cast".to_string()),
        attribute: vec![int("to", float.into())],
        domain: None,
    };
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: None,
        graph: Some(GraphProto {
            node: vec![cast],
            name: Some("widen".to_string()),
            initializer: Vec::new(),
            input: vec![value(STORED, stored.data_type())],
            output: vec![value(WIDENED, float)],
        }),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: Vec::new(),
    }
    .encode_to_vec()
}
