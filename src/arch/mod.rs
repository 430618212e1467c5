//! Model families: config to recipe, one small file each.
