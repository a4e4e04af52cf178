// What the machine can do at most, so that a figure can be given as a share of it. No server takes part.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "tests/bench/load/workload.h"

namespace postkeep::bench {

namespace {

constexpr std::size_t block = 256 * 1024;

void must(bool happened, const char* what) {
  if (!happened) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

// Calls `once` for `seconds` in one thread; octets a second if it returns octets.
template <class Once>
double rate_of(double seconds, Once&& once) {
  const Clock::time_point start = Clock::now();
  double sum = 0;
  while (seconds_since(start) < seconds) sum += static_cast<double>(once());
  return sum / seconds_since(start);
}

void write_file(const std::string& path, const std::string& text, bool sync) {
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  must(file >= 0, "open");
  must(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
  if (sync) must(::fsync(file) == 0, "fsync");
  ::close(file);
}

// As a delivery does it: write, sync, rename, sync the directory.
double durable_files(const std::string& folder, unsigned threads, double seconds, std::size_t octets) {
  std::atomic<std::uint64_t> made{0};
  std::vector<std::thread> workers;
  const Clock::time_point start = Clock::now();
  for (unsigned worker = 0; worker < threads; ++worker) {
    workers.emplace_back([&, worker] {
      const std::string home = folder + "/durable." + std::to_string(worker);
      std::filesystem::create_directories(home);
      const int directory = ::open(home.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      const std::string text(octets, 'x');
      for (unsigned i = 0; seconds_since(start) < seconds; ++i) {
        write_file(home + "/tmp", text, true);
        const std::string name = home + "/" + std::to_string(i);
        if (::rename((home + "/tmp").c_str(), name.c_str()) != 0 || ::fsync(directory) != 0) break;
        made += 1;
      }
      ::close(directory);
    });
  }
  for (std::thread& worker : workers) worker.join();
  const double rate = static_cast<double>(made) / seconds_since(start);
  for (unsigned worker = 0; worker < threads; ++worker)
    std::filesystem::remove_all(folder + "/durable." + std::to_string(worker));
  return rate;
}

// Octets a second out of small files that are in the page cache.
double cached_files(const std::string& folder, double seconds) {
  constexpr unsigned files = 2000;
  const std::string home = folder + "/cached";
  std::filesystem::create_directories(home);
  const std::string text(7168, 'x');
  for (unsigned i = 0; i < files; ++i) write_file(home + "/" + std::to_string(i), text, false);
  std::vector<char> buffer(block);
  unsigned next = 0;
  const double rate = rate_of(seconds, [&] {
    const int file = ::open((home + "/" + std::to_string(next++ % files)).c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    ::close(file);
    return got;
  });
  std::filesystem::remove_all(home);
  return rate;
}

std::pair<int, int> loopback_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  must(::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  must(::listen(listener, 1) == 0, "listen");
  must(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
  const int near = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(::connect(near, reinterpret_cast<sockaddr*>(&address), length) == 0, "connect");
  const int far = ::accept(listener, nullptr, nullptr);
  must(far >= 0, "accept");
  ::close(listener);
  return {near, far};
}

double loopback_copy(double seconds) {
  const auto ends = loopback_pair();
  const int near = ends.first, far = ends.second;
  std::thread writer([near, seconds] {
    const std::vector<char> buffer(block, 'x');
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < seconds && ::send(near, buffer.data(), buffer.size(), MSG_NOSIGNAL) > 0) {
    }
    ::shutdown(near, SHUT_WR);
  });
  std::vector<char> buffer(block);
  double octets = 0;
  const Clock::time_point start = Clock::now();
  for (ssize_t got = 1; got > 0; octets += static_cast<double>(got)) got = ::recv(far, buffer.data(), buffer.size(), 0);
  const double rate = octets / seconds_since(start);
  writer.join();
  ::close(near);
  ::close(far);
  return rate;
}

// A line there and a message of 7 KiB back, one after another: what RETR one by one costs without any server.
double round_trips(double seconds) {
  constexpr std::size_t message = 7475;
  const auto ends = loopback_pair();
  const int near = ends.first, far = ends.second;
  std::thread answerer([far] {
    char line[16];
    const std::vector<char> answer(message, 'x');
    while (::recv(far, line, sizeof line, 0) > 0 && ::send(far, answer.data(), answer.size(), MSG_NOSIGNAL) > 0) {
    }
    ::close(far);
  });
  std::vector<char> buffer(message);
  const double rate = rate_of(seconds, [&] {
    must(::send(near, "RETR 1\r\n", 8, MSG_NOSIGNAL) == 8, "send");
    must(::recv(near, buffer.data(), buffer.size(), MSG_WAITALL) == static_cast<ssize_t>(message), "recv");
    return 1;
  });
  ::close(near);
  answerer.join();
  return rate;
}

double encryption(double seconds) {
  constexpr int record = 16384;  // what a TLS record holds at most
  std::array<unsigned char, 32> key{};
  std::array<unsigned char, 12> nonce{};
  std::vector<unsigned char> in(record, 'x'), out(record + 32);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data());
  const double rate = rate_of(seconds, [&] {
    int length = 0;
    EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data());
    EVP_EncryptUpdate(context, out.data(), &length, in.data(), record);
    EVP_EncryptFinal_ex(context, out.data() + length, &length);
    return record;
  });
  EVP_CIPHER_CTX_free(context);
  return rate;
}

// The costly part of a full handshake with an ECDSA certificate.
double signatures(double seconds) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  const std::array<unsigned char, 32> digest{};
  std::array<unsigned char, 128> signature{};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  EVP_PKEY_sign_init(context);
  const double rate = rate_of(seconds, [&] {
    std::size_t length = signature.size();
    return EVP_PKEY_sign(context, signature.data(), &length, digest.data(), digest.size());
  });
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  return rate;
}

double memory_copy(double seconds) {
  const std::vector<char> from(64 << 20, 'x');
  std::vector<char> to(from.size());
  return rate_of(seconds, [&] {
    std::memcpy(to.data(), from.data(), from.size());
    return from.size() + (to[from.size() / 2] == 'y' ? 1U : 0U);  // the copy is looked at, so it is made
  });
}

}  // namespace

void run_limits(Bench& bench) {
  const std::string folder = bench.options.folder;
  const double seconds = bench.options.seconds;
  Json json = Json::object();
  Json durable = Json::object();
  for (const std::size_t octets : {1024U, 10240U, 102400U}) {
    for (const unsigned threads : {1U, 8U, 64U}) {
      durable[std::to_string(octets)][std::to_string(threads)] = durable_files(folder, threads, seconds, octets);
    }
  }
  json["durable_files_per_second"] = durable;
  json["cached_files_octets_per_second"] = cached_files(folder, seconds);
  json["loopback_octets_per_second"] = loopback_copy(seconds);
  json["loopback_round_trips_per_second"] = round_trips(seconds);
  json["aes_256_gcm_octets_per_second"] = encryption(seconds);
  json["ecdsa_p256_signatures_per_second"] = signatures(seconds);
  json["memory_copy_octets_per_second"] = memory_copy(seconds);
  bench.report(json);
}

}  // namespace postkeep::bench
