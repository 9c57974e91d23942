use std::{sync::Arc, time::Instant, collections::HashMap};
use arrow::{array::*, datatypes::*};
use tiepoint_store::{ContentHasher, Head, Store};
fn ms(i: Instant) -> f64 { i.elapsed().as_secs_f64() * 1e3 }
#[tokio::test(flavor = "multi_thread")]
async fn timing() {
    let folder = tempfile::tempdir().unwrap();
    let i = Instant::now();
    let store = Store::create(folder.path(), Default::default()).unwrap();
    println!("create {:.2}", ms(i));
    let t = &store.tables;
    for (name, none) in [("c1", false), ("c2", true), ("c3", false)] {
        let list = ListArray::from_iter_primitive::<Float32Type, _, _>((0..100).map(|k| Some((0..100_000).map(move |x| Some(((x * 7919 + k) % 65537) as f32 * 0.01)))));
        let mut item = Field::new("item", DataType::Float32, true);
        if none { item = item.with_metadata(HashMap::from([("lance-encoding:compression".to_string(), "none".to_string())])); }
        let f = Field::new("x", DataType::List(Arc::new(item)), true);
        let list = ListArray::from(list.into_data().into_builder().data_type(f.data_type().clone()).build().unwrap());
        let b = RecordBatch::try_new(Arc::new(Schema::new(vec![f])), vec![Arc::new(list)]).unwrap();
        let v = t.ensure(name, &b.schema()).await.unwrap();
        let i = Instant::now();
        let mut h = ContentHasher::of_channel(&b.schema()).unwrap();
        h.update(&b).unwrap();
        let d = ms(i);
        let i = Instant::now();
        let p = t.write_batches(name, v, vec![b]).await.unwrap();
        let w = ms(i);
        let v = t.commit(&p, v).await.unwrap();
        let i = Instant::now();
        let n = store.read_table(&Head { position: 0, versions: [(name.to_string(), v)].into() }, name, &[]).await.unwrap();
        let r = ms(i);
        let size: u64 = t.files_of_version(name, v).await.unwrap().iter().filter_map(|f| f.size_bytes).sum();
        println!("{name} 40 MB digest {d:.0} write {w:.0} read {r:.0} ms, {} batches, {size} bytes on disk", n.len());
    }
    let n = 200_000usize;
    let mut f = vec![]; let mut c: Vec<ArrayRef> = vec![];
    f.push(Field::new("log_time_ns", DataType::Int64, false)); c.push(Arc::new(Int64Array::from_iter_values(0..n as i64)));
    for k in 0..12 { f.push(Field::new(format!("c{k}"), DataType::Float64, true)); c.push(Arc::new(Float64Array::from_iter_values((0..n).map(|x| (x * k) as f64 * 0.1)))); }
    f.push(Field::new("frame_id", DataType::Utf8, false)); c.push(Arc::new(StringArray::from_iter_values((0..n).map(|_| "base_link"))));
    let b = RecordBatch::try_new(Arc::new(Schema::new(f)), c).unwrap();
    let v = t.ensure("imu", &b.schema()).await.unwrap();
    let i = Instant::now();
    let mut h = ContentHasher::of_channel(&b.schema()).unwrap();
    h.update(&b).unwrap();
    let d = ms(i);
    let i = Instant::now();
    let p = t.write_batches("imu", v, vec![b]).await.unwrap();
    let w = ms(i);
    let v = t.commit(&p, v).await.unwrap();
    let head = Head { position: 0, versions: [("imu".to_string(), v)].into() };
    let i = Instant::now();
    store.read_table(&head, "imu", &[]).await.unwrap();
    println!("imu 22 MB digest {d:.0} write {w:.0} read {:.0} ms", ms(i));
    let again = Store::open(folder.path(), Default::default()).unwrap();
    let i = Instant::now();
    again.query(&head, "SELECT count(*) FROM imu").await.unwrap();
    println!("first count {:.1}", ms(i));
    let i = Instant::now();
    again.query(&head, "SELECT frame_id, avg(c3), max(c5) FROM imu GROUP BY 1").await.unwrap();
    println!("aggregate {:.1}", ms(i));
}
