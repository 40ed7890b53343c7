//! The layer of aiopool's feature `tower` in a real axum, over a real socket.

use std::io;

use aiopool::AioPool;
use aiopool::testing::Probe;
use aiopool::tower::{PoolLimitLayer, PoolRefused};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{BoxError, Router, error_handling::HandleErrorLayer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;

async fn status_of(error: BoxError) -> StatusCode {
    match error.downcast_ref::<PoolRefused>() {
        Some(refused) if refused.is_full() => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Serves a handler that answers when the probe is told to end. Each path has a group, of one request at once and another
/// that waits. Returns the port.
async fn serve(pool: &AioPool, probe: &Probe) -> io::Result<u16> {
    let (pool, probe) = (pool.clone(), probe.clone());
    let of_path = move |request: &Request| {
        pool.keyed_with(request.uri().path(), |group| group.size(1).max_waiting(1))
    };
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(status_of))
        .layer(PoolLimitLayer::by(of_path));
    let answer = move || probe.task("answered");
    let routes = Router::new()
        .route("/a", get(answer.clone()))
        .route("/b", get(answer))
        .layer(layers);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async { axum::serve(listener, routes).await });
    Ok(port)
}

async fn ask(port: u16, path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

async fn status(mut stream: TcpStream) -> io::Result<String> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_are_limited_by_path_refused_and_leave_with_their_client() -> io::Result<()> {
    let (pool, probe) = (AioPool::new(10), Probe::new());
    let port = serve(&pool, &probe).await?;
    let runs = ask(port, "/a").await?;
    until(|| pool.active() == 1).await;
    let waits = ask(port, "/a").await?;
    until(|| pool.waiting() == 1).await;
    assert_eq!(status(ask(port, "/a").await?).await?, "429");

    // Another path has room.
    let other = ask(port, "/b").await?;
    until(|| pool.active() == 2).await;

    // A client that goes away gives its place up.
    drop(waits);
    until(|| pool.waiting() == 0).await;
    pool.close();
    assert_eq!(status(ask(port, "/a").await?).await?, "503");
    probe.end();
    assert_eq!(status(runs).await?, "200");
    assert_eq!(status(other).await?, "200");
    pool.closed().await;
    Ok(())
}
