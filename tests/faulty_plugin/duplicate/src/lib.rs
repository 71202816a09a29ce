//! A loss called `student_t`, which the plugin `electrophysiology` has, too.

mod loss;

framework::export_plugin!();
