//! Dtype and shape inference, one rule per operator. A refusal says what does not fit; the builder adds the shapes.

use super::{
    Dim, Dtype, Op,
    op::{Binary, Unary},
    shape::broadcast,
};

pub(super) type Type = (Dtype, Vec<Dim>);

/// Types of the outputs of `op`, or why it refuses its inputs.
pub(super) fn infer(op: &Op, inputs: &[Type]) -> Result<Vec<Type>, String> {
    match (op, inputs) {
        (Op::Unary(Unary::Identity), [x]) => Ok(vec![x.clone()]),
        (Op::Unary(_), [x]) => {
            need(x, Dtype::F32)?;
            Ok(vec![x.clone()])
        }
        (Op::Binary(binary), [a, b]) => elementwise(*binary, a, b),
        (Op::MatMul, [a, b]) => matmul(a, b),
        (Op::Gemm, [x, w, bias @ ..]) if bias.len() < 2 => gemm(x, w, bias.first()),
        (Op::Cast(dtype), [x]) => Ok(vec![(*dtype, x.1.clone())]),
        (Op::Reshape(target), [x]) => reshape(x, target),
        (Op::Relabel(target), [x]) => relabel(x, target),
        (Op::Unsqueeze, [x]) => Ok(vec![(x.0, [&[Dim::Fixed(1)], &x.1[..]].concat())]),
        (Op::Squeeze, [x]) => match x.1.split_first() {
            Some((Dim::Fixed(1), rest)) => Ok(vec![(x.0, rest.to_vec())]),
            _ => Err("the first axis must have size 1".to_string()),
        },
        (Op::Transpose(order), [x]) => {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if sorted != (0..x.1.len()).collect::<Vec<_>>() {
                return Err(format!("{order:?} is not an order of {} axes", x.1.len()));
            }
            Ok(vec![(x.0, order.iter().map(|&axis| x.1[axis]).collect())])
        }
        (Op::Concat { axis }, [first, ..]) => concat(*axis, first, inputs),
        (Op::Slice { axis, start, end }, [x]) => {
            let size = fixed(&x.1, *axis)?;
            if start >= end || *end > size {
                return Err(format!("slice {start}..{end} of an axis of {size}"));
            }
            Ok(vec![(x.0, replaced(&x.1, *axis, Dim::Fixed(end - start)))])
        }
        (Op::Gather, [x, index]) => {
            need(index, Dtype::I64)?;
            if x.1.is_empty() {
                return Err("a scalar has no rows".to_string());
            }
            Ok(vec![(x.0, [&index.1[..], &x.1[1..]].concat())])
        }
        (Op::GatherNd, [x, index]) => gather_nd(x, index),
        (Op::Softmax, [x]) => {
            need(x, Dtype::F32)?;
            last(x)?;
            Ok(vec![x.clone()])
        }
        (Op::Where, [condition, yes, no]) => {
            need(condition, Dtype::Bool)?;
            need(no, yes.0)?;
            let shape = broadcast(&yes.1, &no.1).and_then(|s| broadcast(&condition.1, &s));
            Ok(vec![(yes.0, shape.ok_or("shapes do not broadcast")?)])
        }
        (Op::Reduce { keep, .. }, [x]) => {
            need(x, Dtype::F32)?;
            let axis = last(x)?;
            let mut shape = x.1[..axis].to_vec();
            shape.extend(keep.then_some(Dim::Fixed(1)));
            Ok(vec![(Dtype::F32, shape)])
        }
        (Op::TopK { k }, [x]) => {
            need(x, Dtype::F32)?;
            let axis = last(x)?;
            if *k == 0 || matches!(x.1[axis], Dim::Fixed(size) if size < *k) {
                return Err(format!("the largest {k} of an axis of {}", x.1[axis]));
            }
            let shape = replaced(&x.1, axis, Dim::Fixed(*k));
            Ok(vec![(Dtype::F32, shape.clone()), (Dtype::I64, shape)])
        }
        _ => Err(format!("takes another number of inputs than {}", inputs.len())),
    }
}

fn elementwise(binary: Binary, a: &Type, b: &Type) -> Result<Vec<Type>, String> {
    need(b, a.0)?;
    let logical = binary == Binary::And;
    if logical != (a.0 == Dtype::Bool) {
        return Err(format!("does not take {}", a.0));
    }
    let shape = broadcast(&a.1, &b.1).ok_or("shapes do not broadcast")?;
    let compares = matches!(binary, Binary::Equal | Binary::Less | Binary::LessOrEqual | Binary::And);
    Ok(vec![(if compares { Dtype::Bool } else { a.0 }, shape)])
}

fn matmul(a: &Type, b: &Type) -> Result<Vec<Type>, String> {
    need(a, Dtype::F32)?;
    need(b, Dtype::F32)?;
    let ([batch_a @ .., m, k], [batch_b @ .., k2, n]) = (&a.1[..], &b.1[..]) else {
        return Err("needs two matrices".to_string());
    };
    if k != k2 {
        return Err(format!("inner sizes differ: {k} and {k2}"));
    }
    let mut shape = broadcast(batch_a, batch_b).ok_or("batch dimensions do not broadcast")?;
    shape.extend([*m, *n]);
    Ok(vec![(Dtype::F32, shape)])
}

fn gemm(x: &Type, w: &Type, bias: Option<&Type>) -> Result<Vec<Type>, String> {
    need(x, Dtype::F32)?;
    need(w, Dtype::F32)?;
    let ([m, k], [n, k2]) = (&x.1[..], &w.1[..]) else {
        return Err("needs two matrices".to_string());
    };
    if k != k2 {
        return Err(format!("inner sizes differ: {k} and {k2}"));
    }
    if let Some(bias) = bias {
        need(bias, Dtype::F32)?;
        if bias.1 != [*n] {
            return Err(format!("the bias must have {n} elements"));
        }
    }
    Ok(vec![(Dtype::F32, vec![*m, *n])])
}

fn reshape(x: &Type, target: &[Dim]) -> Result<Vec<Type>, String> {
    let split = |shape: &[Dim]| -> (Vec<(usize, Dim)>, usize) {
        let named =
            shape.iter().copied().enumerate().filter(|(_, dim)| matches!(dim, Dim::Named(_))).collect();
        let product = shape.iter().map(|dim| if let Dim::Fixed(size) = dim { *size } else { 1 }).product();
        (named, product)
    };
    if split(&x.1) != split(target) {
        return Err("named dimensions must keep their place and the fixed ones their product".to_string());
    }
    Ok(vec![(x.0, target.to_vec())])
}

fn relabel(x: &Type, target: &[Dim]) -> Result<Vec<Type>, String> {
    let same = |(a, b): (&Dim, &Dim)| match (a, b) {
        (Dim::Named(_), Dim::Named(_) | Dim::Fixed(1)) | (Dim::Fixed(1), Dim::Named(_)) => true,
        (a, b) => a == b,
    };
    if x.1.len() != target.len() || !x.1.iter().zip(target).all(same) {
        return Err("only open dimensions, and sizes of 1, take another name".to_string());
    }
    Ok(vec![(x.0, target.to_vec())])
}

fn concat(axis: usize, first: &Type, inputs: &[Type]) -> Result<Vec<Type>, String> {
    let mut total = 0;
    for input in inputs {
        need(input, first.0)?;
        total += fixed(&input.1, axis)?;
        if replaced(&input.1, axis, Dim::Fixed(0)) != replaced(&first.1, axis, Dim::Fixed(0)) {
            return Err("the other axes differ".to_string());
        }
    }
    Ok(vec![(first.0, replaced(&first.1, axis, Dim::Fixed(total)))])
}

fn gather_nd(x: &Type, index: &Type) -> Result<Vec<Type>, String> {
    need(index, Dtype::I64)?;
    let [n, Dim::Fixed(k)] = index.1[..] else {
        return Err("the index must be [n, k] with fixed k".to_string());
    };
    if k == 0 || k > x.1.len() {
        return Err(format!("{k} indices into {} axes", x.1.len()));
    }
    Ok(vec![(x.0, [&[n], &x.1[k..]].concat())])
}

fn need(found: &Type, expected: Dtype) -> Result<(), String> {
    if found.0 == expected { Ok(()) } else { Err(format!("needs {expected}, got {}", found.0)) }
}

fn last(x: &Type) -> Result<usize, String> {
    x.1.len().checked_sub(1).ok_or_else(|| "a scalar has no axes".to_string())
}

fn fixed(shape: &[Dim], axis: usize) -> Result<usize, String> {
    match shape.get(axis) {
        Some(Dim::Fixed(size)) => Ok(*size),
        Some(Dim::Named(name)) => Err(format!("axis {axis} has the open size {name}")),
        None => Err(format!("no axis {axis}")),
    }
}

fn replaced(shape: &[Dim], axis: usize, dim: Dim) -> Vec<Dim> {
    shape.iter().enumerate().map(|(i, d)| if i == axis { dim } else { *d }).collect()
}
