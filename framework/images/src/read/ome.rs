//! The description that an OME-TIFF carries: names of its channels.

use anyhow::{Context, Result, ensure};
use roxmltree::{Document, Node};

/// Planes of a file that is no stack are fewer by far; a description may state any number.
const MOST_PLANES: usize = 1 << 16;

/// Whether the description of a TIFF is that of an OME-TIFF.
pub(super) fn is_ome(text: &str) -> bool {
    text.trim_end().ends_with("OME>")
}

/// Names of the channels in the order of the planes; empty where planes are more than channels (stacks, films).
///
/// A channel without a name is called by its place, counted from 0.
pub(super) fn channel_names(text: &str) -> Result<Vec<String>> {
    let document = Document::parse(text.trim_start_matches('\u{feff}')).context("its OME description is damaged")?;
    let pixels = document.descendants().find(|node| node.tag_name().name() == "Pixels");
    let Some(pixels) = pixels else { return Ok(Vec::new()) };
    let number = |name: &str| pixels.attribute(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(1);
    if number("SizeZ") != 1 || number("SizeT") != 1 {
        return Ok(Vec::new());
    }
    let channels = pixels.children().filter(|node| node.tag_name().name() == "Channel");
    let mut names = Vec::new();
    for channel in channels {
        let n_samples = channel.attribute("SamplesPerPixel").and_then(|text| text.parse().ok()).unwrap_or(1);
        ensure!(n_samples <= number("SizeC"), "its OME description has a channel of more samples than there are");
        ensure!(n_samples <= MOST_PLANES - names.len(), "its OME description has more than {MOST_PLANES} planes");
        let name = name_of(channel, names.len());
        names.extend(std::iter::repeat_n(name, n_samples));
    }
    Ok(names)
}

fn name_of(channel: Node<'_, '_>, place: usize) -> String {
    channel.attribute("Name").map_or_else(|| place.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n_slices: usize) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
            <Pixels DimensionOrder="XYCZT" SizeX="4" SizeY="3" SizeC="3" SizeZ="{n_slices}" SizeT="1" Type="uint16">
            <Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1"/><Channel ID="c" Name="lamin &amp; co"/>
            </Pixels></Image></OME>"#
        )
    }

    #[test]
    fn channels_have_the_names_that_are_stated() {
        assert!(is_ome(&text(1)) && !is_ome("ImageJ=1.53"));
        assert_eq!(channel_names(&text(1)).unwrap(), ["DAPI", "1", "lamin & co"]);
        assert!(channel_names(&text(5)).unwrap().is_empty());
        assert!(channel_names("<OME><Image></OME>").is_err());
        let endless = text(1).replace("SizeC=\"3\"", "SizeC=\"9999999999\"");
        let endless = endless.replace("ID=\"Channel:0:1\"", "SamplesPerPixel=\"9999999999\"");
        assert!(channel_names(&endless).unwrap_err().to_string().ends_with("has more than 65536 planes"));
    }
}
