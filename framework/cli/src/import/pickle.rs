//! The description of a checkpoint, read without running it.
//!
//! A pickle is a program for a machine with a stack, and unpickling may call anything. This machine knows the instructions
//! that `torch.save` uses for a dictionary of tensors, and three functions, none of which it calls: it notes what they
//! would make. Anything else is refused.

use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::rc::Rc;

/// Tuples in tuples at most; a tensor's description has two.
const DEEPEST: u8 = 4;

/// The numbers of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredKind {
    /// 32-bit numbers.
    Float,
    /// 64-bit numbers.
    Double,
    /// 64-bit whole numbers.
    Long,
    /// True or false, a byte each.
    Bool,
}

/// Where the numbers of a tensor are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    /// What they are.
    pub kind: StoredKind,
    /// The storage that holds them.
    pub storage: Rc<str>,
    /// Numbers in that storage.
    pub n_stored: u64,
    /// Place of the first.
    pub offset: u64,
    /// Numbers along each dimension.
    pub size: Vec<i64>,
    /// Places from one to the next along each dimension.
    pub stride: Vec<i64>,
}

/// What may be named; nothing of it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(StoredKind),
}

#[derive(Debug, Clone)]
enum Value {
    None,
    Bool,
    Int(i64),
    Text(Rc<str>),
    Tuple {
        items: Rc<[Value]>,
        depth: u8,
    },
    /// The tensors of a dictionary by name; what else it holds is left out.
    Dict(Vec<(Rc<str>, StoredTensor)>),
    Global(Global),
    Storage {
        kind: StoredKind,
        key: Rc<str>,
        n: u64,
    },
    Tensor(StoredTensor),
}

/// The named tensors that a description tells of.
///
/// # Errors
/// When it holds anything but a dictionary of tensors, or is damaged.
pub fn read_state_dict(description: &[u8]) -> Result<Vec<(String, StoredTensor)>> {
    let mut machine =
        Machine { bytes: description, place: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    let read = machine.run().with_context(|| format!("its description is not understood at byte {}", machine.place));
    Ok(read?.into_iter().map(|(name, tensor)| (name.to_string(), tensor)).collect())
}

struct Machine<'a> {
    bytes: &'a [u8],
    place: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Vec<(Rc<str>, StoredTensor)>> {
        ensure!(self.take(2)? == [0x80, 2], "it is not a pickle of protocol 2, which `torch.save` writes");
        loop {
            match self.byte()? {
                b'.' => break,
                code => self.step(code)?,
            }
        }
        match self.stack.pop() {
            Some(Value::Dict(tensors)) => Ok(tensors),
            _ => bail!("it is no dictionary of tensors; save `model.state_dict()`"),
        }
    }

    fn step(&mut self, code: u8) -> Result<()> {
        match code {
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.stack.push(Value::None),
            0x88 | 0x89 => self.stack.push(Value::Bool),
            b'K' | b'M' | b'J' | 0x8a => self.whole_number(code)?,
            b'X' => {
                let n = self.number(4)? as usize;
                let text = std::str::from_utf8(self.take(n)?).context("a text is not UTF-8")?;
                self.stack.push(Value::Text(text.into()));
            }
            b'c' => self.global()?,
            b')' => self.tuple(self.stack.len())?,
            0x85..=0x87 => {
                let n = usize::from(code - 0x84);
                self.tuple(self.stack.len().checked_sub(n).context("a tuple lacks items")?)?;
            }
            b't' => {
                let mark = self.mark()?;
                self.tuple(mark)?;
            }
            b'}' => self.stack.push(Value::Dict(Vec::new())),
            b's' => self.set_items(self.stack.len().checked_sub(2).context("an item lacks its name")?)?,
            b'u' => {
                let mark = self.mark()?;
                self.set_items(mark)?;
            }
            b'q' | b'r' => {
                let key = self.number(if code == b'q' { 1 } else { 4 })?;
                let top = self.stack.last().context("nothing is to be remembered")?.clone();
                self.memo.insert(key, top);
            }
            b'h' | b'j' => self.remembered(code)?,
            b'Q' => self.storage()?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            other => bail!("the instruction {other:#04x} has no place in a dictionary of tensors"),
        }
        Ok(())
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let end = self.place.checked_add(n).filter(|end| *end <= self.bytes.len()).context("it ends too early")?;
        let taken = &self.bytes[self.place..end];
        self.place = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of up to four bytes.
    fn number(&mut self, n: usize) -> Result<u32> {
        Ok(self.take(n)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn whole_number(&mut self, code: u8) -> Result<()> {
        let value = match code {
            b'K' => i64::from(self.number(1)?),
            b'M' => i64::from(self.number(2)?),
            b'J' => i64::from(self.number(4)? as i32),
            _ => {
                let n = usize::from(self.byte()?);
                ensure!(n <= 8, "a number has {n} bytes, but sizes have at most 8");
                let bytes = self.take(n)?;
                let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
                bytes.iter().rev().fold(sign, |number: i64, byte| number << 8 | i64::from(*byte))
            }
        };
        self.stack.push(Value::Int(value));
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let rest = &self.bytes[self.place..];
        let n = rest.iter().take(256).position(|byte| *byte == b'\n').context("a name does not end")?;
        let line = String::from_utf8_lossy(&rest[..n]).into_owned();
        self.place += n + 1;
        Ok(line)
    }

    fn global(&mut self) -> Result<()> {
        let (module, name) = (self.line()?, self.line()?);
        let global = match (module.as_str(), name.as_str()) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch", "FloatStorage") => Global::Storage(StoredKind::Float),
            ("torch", "DoubleStorage") => Global::Storage(StoredKind::Double),
            ("torch", "LongStorage") => Global::Storage(StoredKind::Long),
            ("torch", "BoolStorage") => Global::Storage(StoredKind::Bool),
            _ => bail!(
                "it asks for `{}.{}`, which a dictionary of tensors of 32 or 64 bits does not need; nothing of it was run",
                module.escape_default(),
                name.escape_default()
            ),
        };
        self.stack.push(Value::Global(global));
        Ok(())
    }

    fn mark(&mut self) -> Result<usize> {
        self.marks.pop().filter(|mark| *mark <= self.stack.len()).context("a list has no beginning")
    }

    /// Makes a tuple of what is above a place of the stack.
    fn tuple(&mut self, from: usize) -> Result<()> {
        let items: Rc<[Value]> = self.stack.split_off(from).into();
        let deep = |item: &Value| if let Value::Tuple { depth, .. } = item { depth + 1 } else { 0 };
        let depth = items.iter().map(deep).max().unwrap_or(0);
        ensure!(depth <= DEEPEST, "tuples are in tuples more than {DEEPEST} deep");
        self.stack.push(Value::Tuple { items, depth });
        Ok(())
    }

    fn set_items(&mut self, from: usize) -> Result<()> {
        let items = self.stack.split_off(from);
        ensure!(items.len().is_multiple_of(2), "an item lacks its value");
        let Some(Value::Dict(tensors)) = self.stack.last_mut() else { bail!("items have no dictionary") };
        let mut items = items.into_iter();
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            match (name, value) {
                (Value::Text(name), Value::Tensor(tensor)) => tensors.push((name, tensor)),
                (Value::Text(_), Value::Dict(_) | Value::Int(_) | Value::None | Value::Bool) => {}
                (Value::Text(name), _) => bail!("`{name}` is no tensor; save `model.state_dict()`"),
                _ => bail!("a name is no text"),
            }
        }
        Ok(())
    }

    fn remembered(&mut self, code: u8) -> Result<()> {
        let key = self.number(if code == b'h' { 1 } else { 4 })?;
        let value = self.memo.get(&key).context("nothing was remembered under that number")?;
        ensure!(!matches!(value, Value::Dict(_)), "a dictionary is used twice");
        self.stack.push(value.clone());
        Ok(())
    }

    fn storage(&mut self) -> Result<()> {
        let Some(Value::Tuple { items, .. }) = self.stack.pop() else { bail!("a storage is not described") };
        let [Value::Text(what), Value::Global(Global::Storage(kind)), Value::Text(key), Value::Text(_), Value::Int(n)] =
            items.as_ref()
        else {
            bail!("a storage is not described as PyTorch does");
        };
        ensure!(what.as_ref() == "storage", "`{what}` is kept elsewhere");
        let n = u64::try_from(*n).context("a storage has less than no numbers")?;
        self.stack.push(Value::Storage { kind: *kind, key: Rc::clone(key), n });
        Ok(())
    }

    /// Notes what a function would make.
    fn reduce(&mut self) -> Result<()> {
        let Some(Value::Tuple { items, .. }) = self.stack.pop() else { bail!("a function lacks its arguments") };
        let Some(Value::Global(global)) = self.stack.pop() else { bail!("what is called is no function") };
        let made = match (global, items.as_ref()) {
            (Global::OrderedDict, []) => Value::Dict(Vec::new()),
            (Global::RebuildTensor, [storage, offset, size, stride, ..]) => tensor([storage, offset, size, stride])?,
            (Global::RebuildParameter, [Value::Tensor(tensor), ..]) => Value::Tensor(tensor.clone()),
            _ => bail!("a function has other arguments than PyTorch gives it"),
        };
        self.stack.push(made);
        Ok(())
    }

    /// What is added to a dictionary besides its items says nothing of tensors.
    fn build(&mut self) -> Result<()> {
        self.stack.pop().context("nothing is added")?;
        ensure!(matches!(self.stack.last(), Some(Value::Dict(_))), "something is added to what is no dictionary");
        Ok(())
    }
}

fn tensor([storage, offset, size, stride]: [&Value; 4]) -> Result<Value> {
    let (Value::Storage { kind, key, n }, Value::Int(offset)) = (storage, offset) else {
        bail!("a tensor has no storage");
    };
    let offset = u64::try_from(*offset).context("a tensor begins before its storage")?;
    let (size, stride) = (numbers(size)?, numbers(stride)?);
    Ok(Value::Tensor(StoredTensor { kind: *kind, storage: Rc::clone(key), n_stored: *n, offset, size, stride }))
}

fn numbers(value: &Value) -> Result<Vec<i64>> {
    let Value::Tuple { items, .. } = value else { bail!("the size of a tensor is no list") };
    let number = |item: &Value| match item {
        Value::Int(number) if *number >= 0 => Ok(*number),
        _ => bail!("the size of a tensor is no list of numbers of at least 0"),
    };
    items.iter().map(number).collect()
}
