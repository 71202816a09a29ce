//! What an array or attribute may hold: any type, any shape, written or not.

use std::str::FromStr;

use arbitrary::Arbitrary;
use hdf5::types::{
    CompoundField, CompoundType, EnumMember, EnumType, FixedAscii, FixedUnicode, FloatSize, IntSize, Reference,
    TypeDescriptor, VarLenAscii, VarLenUnicode,
};
use hdf5::{Container, Extents, Result, SimpleExtents};
use hdf5_metno as hdf5;

/// Arrays with more values than this are declared and not written.
pub(super) const MAX_WRITTEN: usize = 4096;
/// Lengths that are far more than any file of a few kilobytes holds.
const HUGE: [usize; 11] = [
    255,
    65_536,
    (1 << 24) + 1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    1 << 40,
    1 << 62,
    (1 << 63) - 1,
    usize::MAX - 1,
];
/// Numbers at the edges of what a type can hold.
const EDGES: [f64; 12] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e300,
    16_777_217.0,
    0.5,
    -0.0,
    3.402_823_5e38,
    1e-310,
    -1.0,
    4_294_967_295.0,
    9.3e18,
];
const WHOLE_EDGES: [i64; 6] = [i64::MAX, i64::MIN, u32::MAX as i64, i32::MAX as i64, i32::MIN as i64, 1 << 40];
/// Texts that readers look for, and names that are odd.
const WORDS: [&str; 48] = [
    "",
    ".",
    "..",
    "/",
    "_index",
    "index",
    "cell0",
    "cell5",
    "gene0",
    "stage",
    "note",
    "score",
    "n",
    "kept",
    "small",
    "flag",
    "/obs/stage",
    "X",
    "counts",
    "raw",
    "rna",
    "protein",
    "dataframe",
    "csr_matrix",
    "csc_matrix",
    "array",
    "categorical",
    "nullable-integer",
    "nullable-boolean",
    "nullable-string-array",
    "string-array",
    "string",
    "dict",
    "anndata",
    "MuData",
    "0.1.0",
    "0.2.0",
    "mask",
    "image",
    "Gene Expression",
    "Antibody Capture",
    "Peaks",
    "GRCh38",
    "categories",
    "codes",
    "values",
    "ä\u{301}\u{10ffff}",
    "__categories",
];

/// The content of an array or attribute.
#[derive(Debug, Arbitrary)]
pub(super) struct Content {
    kind: Kind,
    shape: Shape,
    values: Vec<Value>,
}

#[derive(Debug, Arbitrary)]
enum Kind {
    Signed(u8),
    Unsigned(u8),
    Float(bool),
    Truth,
    Unicode,
    Ascii,
    FixedAscii,
    FixedUnicode,
    LongFixed(u16),
    Odd(Odd),
}

#[derive(Debug, Arbitrary)]
enum Odd {
    Compound,
    Enumeration,
    Lists,
    Blocks,
    References,
}

#[derive(Debug, Arbitrary)]
enum Shape {
    /// One dimension, as long as there are values.
    Fitting,
    Null,
    Scalar,
    Dimensions(Vec<Length>),
}

#[derive(Debug, Arbitrary)]
enum Length {
    Small(u8),
    Cells,
    Features,
    Huge(u8),
}

/// A number that is also a text.
#[derive(Debug, Arbitrary)]
pub(super) enum Value {
    Small(i8),
    Edge(u8),
    WholeEdge(u8),
    Text(String),
}

impl Value {
    fn whole(&self) -> i64 {
        match self {
            Self::Small(value) => i64::from(*value),
            Self::WholeEdge(place) => WHOLE_EDGES[usize::from(*place) % WHOLE_EDGES.len()],
            Self::Edge(_) => self.real() as i64,
            Self::Text(text) => text.len() as i64,
        }
    }

    pub(super) fn real(&self) -> f64 {
        match self {
            Self::Edge(place) => EDGES[usize::from(*place) % EDGES.len()],
            _ => self.whole() as f64,
        }
    }

    /// The value as a text without zero bytes.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.replace('\0', ""),
            Self::Small(place) => WORDS[usize::from(place.unsigned_abs()) % WORDS.len()].to_owned(),
            _ => self.real().to_string(),
        }
    }
}

impl Shape {
    fn extents(&self, n_values: usize) -> Extents {
        match self {
            Self::Fitting => Extents::simple(n_values),
            Self::Null => Extents::Null,
            Self::Scalar => Extents::Scalar,
            Self::Dimensions(lengths) => {
                let lengths: Vec<usize> = lengths.iter().take(5).map(Length::get).collect();
                if lengths.is_empty() { Extents::Scalar } else { Extents::Simple(SimpleExtents::fixed(lengths)) }
            }
        }
    }
}

impl Length {
    fn get(&self) -> usize {
        match self {
            Self::Small(length) => usize::from(length % 16),
            Self::Cells => 6,
            Self::Features => 5,
            Self::Huge(place) => HUGE[usize::from(*place) % HUGE.len()],
        }
    }
}

impl Content {
    pub(super) fn extents(&self) -> Extents {
        self.shape.extents(self.values.len())
    }

    pub(super) fn descriptor(&self) -> TypeDescriptor {
        let size = |power: u8| [IntSize::U1, IntSize::U2, IntSize::U4, IntSize::U8][usize::from(power % 4)];
        match &self.kind {
            Kind::Signed(power) => TypeDescriptor::Integer(size(*power)),
            Kind::Unsigned(power) => TypeDescriptor::Unsigned(size(*power)),
            Kind::Float(single) => TypeDescriptor::Float(if *single { FloatSize::U4 } else { FloatSize::U8 }),
            Kind::Truth => TypeDescriptor::Boolean,
            Kind::Unicode => TypeDescriptor::VarLenUnicode,
            Kind::Ascii => TypeDescriptor::VarLenAscii,
            Kind::FixedAscii => TypeDescriptor::FixedAscii(32),
            Kind::FixedUnicode => TypeDescriptor::FixedUnicode(32),
            Kind::LongFixed(length) => TypeDescriptor::FixedAscii(usize::from(*length).max(1)),
            Kind::Odd(odd) => odd.descriptor(),
        }
    }

    /// Writes the values, again and again until the array is full; nothing where there are none or it is too large.
    pub(super) fn write(&self, to: &Container) -> Result<()> {
        let n = self.n_written();
        if n == 0 {
            return Ok(());
        }
        let values = || self.values.iter().cycle().take(n);
        let shape = to.shape();
        match &self.kind {
            Kind::Signed(_) | Kind::Unsigned(_) => write(to, shape, values().map(Value::whole)),
            Kind::Float(_) => write(to, shape, values().map(Value::real)),
            Kind::Truth => write(to, shape, values().map(|value| value.whole() % 2 != 0)),
            Kind::Unicode => write(to, shape, values().map(|value| unicode(&value.text()))),
            Kind::Ascii => write(to, shape, values().map(|value| ascii(&value.text()))),
            Kind::FixedAscii => write(to, shape, values().map(|value| fixed_ascii(&value.text()))),
            Kind::FixedUnicode => write(to, shape, values().map(|value| fixed_unicode(&value.text()))),
            Kind::LongFixed(_) | Kind::Odd(_) => Ok(()),
        }
    }

    /// How many values the shape has; none if they cannot be counted.
    pub(super) fn n_values(&self) -> Option<usize> {
        self.extents().dims().iter().try_fold(1usize, |n, length| n.checked_mul(*length))
    }

    /// How many values are written: all that fit, or none.
    fn n_written(&self) -> usize {
        let n = if self.extents().is_null() { 0 } else { self.n_values().unwrap_or(usize::MAX) };
        if n > MAX_WRITTEN || self.values.is_empty() { 0 } else { n }
    }

    /// Whether the array is small enough to lie in one piece in the file.
    pub(super) fn is_small(&self) -> bool {
        self.n_values().is_some_and(|n| n <= MAX_WRITTEN) && self.descriptor().size() <= MAX_WRITTEN
    }
}

impl Odd {
    fn descriptor(&self) -> TypeDescriptor {
        let whole = TypeDescriptor::Integer(IntSize::U4);
        match self {
            Self::Compound => {
                let field = |name: &str, place| CompoundField::new(name, whole.clone(), place * 4, place);
                TypeDescriptor::Compound(CompoundType { fields: vec![field("a", 0), field("b", 1)], size: 8 })
            }
            Self::Enumeration => {
                let member = |(value, name): (u64, &&str)| EnumMember { name: (*name).to_owned(), value };
                let members = (0..).zip(&["RED", "GREEN", "BLUE"]).map(member).collect();
                TypeDescriptor::Enum(EnumType { size: IntSize::U1, signed: true, members })
            }
            Self::Lists => TypeDescriptor::VarLenArray(Box::new(whole)),
            Self::Blocks => TypeDescriptor::FixedArray(Box::new(whole), 3),
            Self::References => TypeDescriptor::Reference(Reference::Object),
        }
    }
}

fn write<T: hdf5::H5Type>(to: &Container, shape: Vec<usize>, values: impl Iterator<Item = T>) -> Result<()> {
    let values: Vec<T> = values.collect();
    match ndarray::ArrayD::from_shape_vec(shape, values) {
        Ok(values) => to.write(&values),
        Err(_) => Ok(()),
    }
}

fn unicode(text: &str) -> VarLenUnicode {
    VarLenUnicode::from_str(text).unwrap_or_default()
}

fn ascii(text: &str) -> VarLenAscii {
    VarLenAscii::from_ascii(text).unwrap_or_default()
}

fn fixed_ascii(text: &str) -> FixedAscii<32> {
    FixedAscii::from_ascii(text).unwrap_or_default()
}

fn fixed_unicode(text: &str) -> FixedUnicode<32> {
    FixedUnicode::from_str(text).unwrap_or_default()
}
