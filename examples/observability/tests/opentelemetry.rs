//! What a collector of OpenTelemetry gets of the tasks: the collector is a socket of the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aiopool::{AioPool, TracingObserver};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use tracing::{Instrument, info_span};
use tracing_subscriber::prelude::*;

/// Answers each request with `{}`, and passes its body on.
fn collector() -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (at, (send, receive)) = (listener.local_addr().unwrap(), channel());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let send = send.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(body) = read_request(&mut stream) {
                    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    stream.get_mut().write_all(answer.as_bytes()).unwrap();
                    send.send(body).unwrap();
                }
            });
        }
    });
    (at, receive)
}

fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

fn spans(body: &Value) -> Vec<Value> {
    let resources = body["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    scopes
        .flat_map(|scope| scope["spans"].as_array().unwrap())
        .cloned()
        .collect()
}

#[test]
fn a_collector_gets_a_span_for_each_task_in_that_of_its_request() {
    let (at, bodies) = collector();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("http://{at}/v1/traces"))
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing_subscriber::registry().with(layer).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let builder = AioPool::builder()
            .name("p")
            .observer(TracingObserver::new());
        let pool = builder.build().unwrap();
        async {
            let awaited = pool.task(async {}).name("awaited").exec();
            awaited.await.unwrap();
            let let_go = pool.task(async {}).name("let go").spawn_n();
            let_go.await.unwrap();
        }
        .instrument(info_span!("request"))
        .await;
    });
    provider.force_flush().unwrap();
    let mut all = Vec::new();
    while all.len() < 3 {
        let body = bodies
            .recv_timeout(Duration::from_secs(60))
            .expect("three spans");
        all.extend(spans(&body));
    }
    let find = |name: &str| {
        let found = all.iter().find(|span| span["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {all:#?}"))
    };
    let (request, awaited, let_go) = (find("request"), find("awaited"), find("let go"));
    assert_eq!(awaited["parentSpanId"], request["spanId"]);
    assert_eq!(awaited["traceId"], request["traceId"]);
    assert_eq!(let_go["parentSpanId"].as_str().unwrap_or_default(), "");
    assert_eq!(let_go["links"][0]["spanId"], request["spanId"]);
    let events: Vec<_> = awaited["events"].as_array().unwrap().iter().collect();
    let names: Vec<_> = events
        .iter()
        .map(|event| event["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[names.len() - 2..], ["task starts", "task ends"]);
    let outcome = events[names.len() - 1]["attributes"].to_string();
    assert!(outcome.contains("completed"), "{outcome}");
}
