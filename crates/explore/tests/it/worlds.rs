use canon_explore::{Exploration, SmallWorld};

#[test]
fn nothing_is_wrong_with_the_rules() {
    for world in SmallWorld::QUICK {
        let started = std::time::Instant::now();
        match Exploration::new(world).run() {
            Ok(report) => println!("{}: {report} {:?}", world.name, started.elapsed()),
            Err(trace) => panic!("{trace}"),
        }
    }
}
