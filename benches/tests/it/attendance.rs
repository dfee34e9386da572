//! Attendance records of port 4370: none costs memory, and to keep them all costs what their bytes are long.

use core::hint::black_box;

use punch_benches::{
    attendance_dataset, attendance_frames, read_attendance, read_attendance_plainly, read_attendance_streamed,
};
use punch_protocol::tcp::{AttendanceLayout, Dataset, Frame, Framed, Limits};

/// Frames that cut a record each, of every layout: nothing is allocated, neither per record nor per piece.
#[test]
fn a_stream_of_records_is_read_without_allocating() {
    for layout in AttendanceLayout::ALL {
        let dataset = attendance_dataset(layout, 20_000);
        let frames = attendance_frames(&dataset);
        let mut read = None;
        let used = allocation_counter::measure(|| read = Some(read_attendance_streamed(layout, &frames)));
        assert_eq!((used.count_total, used.bytes_total), (0, 0), "{layout:?}");
        assert_eq!(read, Some(read_attendance(layout, &dataset)), "{layout:?}");
        assert_eq!(read.unwrap().rows, 20_000);
    }
}

/// Whoever keeps all records keeps the bytes of the dataset, once, and reads the records from them.
#[test]
fn all_records_need_the_memory_of_their_dataset() {
    for layout in AttendanceLayout::ALL {
        let dataset = attendance_dataset(layout, 20_000);
        let frames = attendance_frames(&dataset);
        let mut read = None;
        let used = allocation_counter::measure(|| {
            // The answer to `PREPARE_BUFFER` says how long it is.
            let mut kept = Vec::with_capacity(dataset.len() + 4);
            let mut rest = &frames[..];
            while let Ok(Framed::Complete { frame, used }) = Frame::parse(rest, &Limits::default()) {
                kept.extend_from_slice(frame.packet.data);
                rest = &rest[used..];
            }
            let records = Dataset::parse(&kept, &Limits::default()).unwrap().records;
            read = Some(read_attendance(layout, black_box(records)));
        });
        let peak = usize::try_from(used.bytes_max).unwrap();
        assert!(peak >= dataset.len() && peak * 10 <= dataset.len() * 11, "{layout:?}: {peak} of {}", dataset.len());
        assert_eq!(read, Some(read_attendance(layout, &dataset)), "{layout:?}");
    }
}

/// The bench compares readers that do the same, with days that the calendar does not have too.
#[test]
fn the_plain_loop_reads_the_same() {
    for (layout, time) in
        [(AttendanceLayout::Text40, 27), (AttendanceLayout::Number16, 4), (AttendanceLayout::Packed8, 3)]
    {
        let mut dataset = attendance_dataset(layout, 10_000);
        let mut packed = 0_u32;
        for record in dataset.chunks_mut(layout.size()) {
            packed = packed.wrapping_add(2_654_435_769);
            record[time..time + 4].copy_from_slice(&packed.to_le_bytes());
        }
        let read = read_attendance(layout, &dataset);
        assert_eq!(read, read_attendance_plainly(layout.size(), &dataset), "{layout:?}");
        assert!((9700..9900).contains(&read.rows), "{layout:?}: {}", read.rows);
    }
}
