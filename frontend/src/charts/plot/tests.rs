use super::*;
use crate::charts::surface::{Anchor, Surface};

#[derive(Default)]
struct Record {
    lines: Vec<Vec<(f64, f64)>>,
    polygons: usize,
    circles: usize,
    texts: Vec<String>,
}

impl Surface for Record {
    fn stroke(&mut self, points: &[(f64, f64)], _: Colour, _: f64) {
        self.lines.push(points.to_vec());
    }
    fn fill(&mut self, _: &[(f64, f64)], _: Colour) {
        self.polygons += 1;
    }
    fn circle(&mut self, _: (f64, f64), _: f64, _: Colour, _: Option<f64>) {
        self.circles += 1;
    }
    fn text(&mut self, text: &str, _: (f64, f64), _: f64, _: Colour, _: Anchor) {
        self.texts.push(text.to_owned());
    }
    fn text_width(&self, text: &str, size: f64) -> f64 {
        text.chars().count() as f64 * size * 0.55
    }
}

fn plot(points: Vec<(f64, f64)>) -> Plot {
    Plot {
        series: vec![Series {
            points,
            ..Series::default()
        }],
        ..Plot::default()
    }
}

#[test]
fn lines_keep_parts_of_a_pixel() {
    let points = (0..200)
        .map(|k| (f64::from(k), (f64::from(k) / 30.0).sin() + 2.0))
        .collect();
    let mut record = Record::default();
    let frame = draw(&plot(points), &mut record, 600.0, 180.0, &Palette::default()).expect("points");
    let line = record.lines.iter().max_by_key(|line| line.len()).expect("a line");
    assert_eq!(line.len(), 200);
    assert!(
        line.iter().any(|point| point.1.fract() != 0.0),
        "whole pixels make steps"
    );
    assert!(
        line.iter()
            .all(|p| p.0 >= frame.left - 0.1 && p.0 <= frame.right + 0.1)
    );
    assert!(record.texts.contains(&"0".to_owned()), "{:?}", record.texts);
}

#[test]
fn a_gap_interrupts_the_line() {
    let mut record = Record::default();
    let points = vec![(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 2.0)];
    draw(&plot(points), &mut record, 300.0, 150.0, &Palette::default()).expect("points");
    let pairs = record
        .lines
        .iter()
        .filter(|line| line.len() == 2 && line[0].1 != line[1].1 && line[0].0 != line[1].0);
    assert_eq!(pairs.count(), 2);
}

#[test]
fn nothing_is_drawn_without_points() {
    let mut record = Record::default();
    assert!(draw(&plot(vec![]), &mut record, 300.0, 150.0, &Palette::default()).is_none());
    assert!(
        draw(
            &plot(vec![(0.0, f64::NAN)]),
            &mut record,
            300.0,
            150.0,
            &Palette::default()
        )
        .is_none()
    );
    assert!(record.lines.is_empty() && record.texts.is_empty());
}

#[test]
fn one_point_and_extremes_have_a_range() {
    assert_eq!(plot(vec![(5.0, 0.0)]).ranges(), Some(((4.5, 5.5), (0.0, 0.06))));
    let ranges = plot(vec![(0.0, -10.0), (1.0, 10.0)]).ranges().expect("points");
    assert!(ranges.1.0 < -10.0 && ranges.1.1 > 10.0);
}

#[test]
fn bands_marks_and_names_are_drawn() {
    let series = |name: &str, hue, level: f64| Series {
        name: name.into(),
        hue,
        points: vec![(0.0, level), (10.0, level + 1.0)],
        band: vec![(0.0, level - 1.0, level + 1.0), (10.0, level, level + 2.0)],
        rings: true,
    };
    let plot = Plot {
        series: vec![series("own", Hue::D1, 50.0), series("other", Hue::D6, 50.1)],
        marks: vec![Mark {
            x: 5.0,
            words: "step".into(),
            kind: MarkKind::Step,
        }],
        references: vec![(55.0, "limit".into())],
        from_zero: false,
        ..Plot::default()
    };
    let mut record = Record::default();
    draw(&plot, &mut record, 400.0, 200.0, &Palette::default()).expect("points");
    assert_eq!(record.polygons, 2);
    assert_eq!(record.circles, 2 * (2 * 2 + 1));
    for text in ["own", "other", "step", "limit"] {
        assert!(
            record.texts.contains(&text.to_owned()),
            "{text}: {:?}",
            record.texts
        );
    }
}

#[test]
fn pixels_and_values_agree() {
    let frame = Frame {
        left: 30.0,
        right: 330.0,
        top: 10.0,
        bottom: 110.0,
        x: (0.0, 60.0),
        y: (0.0, 20.0),
    };
    assert_eq!(frame.across(30.0), 180.0);
    assert_eq!(frame.down(5.0), 85.0);
    assert_eq!(frame.x_at(180.0), 30.0);
}
