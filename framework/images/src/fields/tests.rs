//! Tables of fields with real files behind them.

use super::*;
use crate::plane::Pixels;
use crate::testing::{plane_u8, write_png, write_tiff};

fn spec(channels: &[(&str, ImageFile)]) -> FieldsSpec {
    FieldsSpec {
        table: "fields.csv".into(),
        name: None,
        channels: channels.iter().map(|(name, file)| ((*name).to_owned(), file.clone())).collect(),
        mask: None,
        mask_kind: MaskKind::Labels,
    }
}

fn folder(table: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fields.csv"), table).unwrap();
    folder
}

#[test]
fn files_come_from_patterns_and_columns() {
    let folder = folder("row,column,protein,donor\nA,01,p/a.png,x\nB,02,,y\n");
    std::fs::create_dir(folder.path().join("p")).unwrap();
    write_png(&folder.path().join("dna-A01.png"), &plane_u8(2, 3, 5));
    write_png(&folder.path().join("p/a.png"), &plane_u8(2, 3, 9));
    let optional = ImageFile { may_be_missing: true, ..ImageFile::by_column("protein") };
    let wanted = spec(&[("dna", ImageFile::by_pattern("dna-{row}{column}.png")), ("lamin", optional)]);
    assert!(wanted.validate().is_empty());
    let fields = wanted.open(folder.path()).unwrap();
    assert_eq!(fields.rows[0].name, "dna-A01");
    assert_eq!(fields.rows[1].present(), [true, false]);
    let (field, mask) = fields.read(&fields.rows[0]).unwrap();
    assert_eq!(field.channel("lamin").unwrap(), &plane_u8(2, 3, 9));
    assert_eq!((field.names(), mask), (&["dna".to_owned(), "lamin".to_owned()][..], None));
    assert_eq!(fields.rows[0].files().len(), 2);
    let error = format!("{:#}", fields.read(&fields.rows[1]).unwrap_err());
    assert!(error.starts_with("no file `") && error.ends_with("dna-B02.png`"), "{error}");
}

#[test]
fn planes_of_one_file_are_told_apart_and_never_guessed() {
    let folder = folder("file\na.tif\n");
    write_tiff(&folder.path().join("a.tif"), &[plane_u8(2, 2, 1), plane_u8(2, 2, 2)]);
    let at = |plane| ImageFile { plane, ..ImageFile::by_column("file") };
    let fields = spec(&[("dna", at(Some(1))), ("er", at(Some(0)))]).open(folder.path()).unwrap();
    let (field, _) = fields.read(&fields.rows[0]).unwrap();
    assert_eq!(field.channel("dna").unwrap().pixels(), &Pixels::U8(vec![2; 4]));
    assert_eq!(fields.rows[0].files().len(), 1);
    let fields = spec(&[("dna", at(None))]).open(folder.path()).unwrap();
    let error = fields.read(&fields.rows[0]).unwrap_err().to_string();
    assert!(error.ends_with("holds 2 planes for 1 channels; say which with `plane`, counted from 0"), "{error}");
    let fields = spec(&[("dna", at(Some(2)))]).open(folder.path()).unwrap();
    let error = format!("{:#}", fields.read(&fields.rows[0]).unwrap_err());
    assert!(error.contains("plane 2 is asked for, but the file has 2 (0 to 1)"), "{error}");
}

#[test]
fn masks_belong_to_their_fields() {
    let folder = folder("image,mask\na.png,m.png\n");
    write_png(&folder.path().join("a.png"), &plane_u8(2, 3, 5));
    write_png(&folder.path().join("m.png"), &plane_u8(2, 3, 1));
    let mut wanted = spec(&[("dna", ImageFile::by_column("image"))]);
    wanted.mask = Some(ImageFile::by_column("mask"));
    let fields = wanted.open(folder.path()).unwrap();
    assert_eq!(fields.read(&fields.rows[0]).unwrap().1.unwrap().labels, [1; 6]);
    write_png(&folder.path().join("m.png"), &plane_u8(3, 3, 1));
    let error = format!("{:#}", fields.read(&fields.rows[0]).unwrap_err());
    assert!(error.contains("the mask has 3 × 3 pixels, but the field has 2 × 3"), "{error}");
}

#[test]
fn tables_that_say_too_little_are_refused() {
    let folder = folder("image,other\na.png,b.png\na.png,\n");
    let error = |file: ImageFile| format!("{:#}", spec(&[("dna", file)]).open(folder.path()).unwrap_err());
    let twice = error(ImageFile::by_column("image"));
    assert!(twice.contains("the fields of lines 2 and 3 are both called `a`; set `name`"), "{twice}");
    let empty = error(ImageFile::by_column("other"));
    assert!(empty.contains("line 3: channel `dna` has no file: a column is empty"), "{empty}");
    let unknown = error(ImageFile::by_column("imag"));
    assert!(unknown.contains("channel `dna`: no column `imag`: did you mean `image`?"), "{unknown}");
    let nowhere = spec(&[("dna", ImageFile::default())]);
    assert_eq!(nowhere.validate()[0].key, "channels.dna");
}
