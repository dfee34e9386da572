mod lanes;
mod model;
mod outage;
mod rules;
mod world;
