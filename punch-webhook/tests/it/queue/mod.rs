mod batches;
mod lanes;
mod model;
mod outage;
mod pace;
mod rules;
mod world;
