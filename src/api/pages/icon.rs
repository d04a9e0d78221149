//! Pictures of the pages.
