// Streams and events. The default stream runs work at once on the calling thread, as libtorch's CPU operators do; every other stream has
// a queue and a thread of its own, so that a missing wait between streams shows as a wrong result.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace standin {

inline std::atomic<int> DelayMicroseconds{0};

// One placing of an event in a stream.
struct Mark {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::chrono::steady_clock::time_point time;

    void Set() {
        std::lock_guard<std::mutex> hold(mutex);
        time = std::chrono::steady_clock::now();
        done = true;
        changed.notify_all();
    }

    void Wait() {
        std::unique_lock<std::mutex> hold(mutex);
        changed.wait(hold, [this] { return done; });
    }

    bool IsDone() {
        std::lock_guard<std::mutex> hold(mutex);
        return done;
    }
};

struct Event {
    bool has_time;
    std::mutex mutex;
    std::shared_ptr<Mark> mark;  // null until recorded

    std::shared_ptr<Mark> Current() {
        std::lock_guard<std::mutex> hold(mutex);
        return mark;
    }
};

// The queue outlives its handle: work that was queued when a stream is destroyed still runs.
class Queue : public std::enable_shared_from_this<Queue> {
public:
    void Start() {
        auto self = shared_from_this();
        std::thread([self] { self->Run(); }).detach();
    }

    void Put(std::function<void()> work) {
        std::lock_guard<std::mutex> hold(mutex_);
        work_.push_back(std::move(work));
        changed_.notify_one();
    }

    void Drain() {
        auto mark = std::make_shared<Mark>();
        Put([mark] { mark->Set(); });
        mark->Wait();
    }

    void Close() {
        std::lock_guard<std::mutex> hold(mutex_);
        closed_ = true;
        changed_.notify_one();
    }

private:
    void Run() {
        for (;;) {
            std::function<void()> work;
            {
                std::unique_lock<std::mutex> hold(mutex_);
                changed_.wait(hold, [this] { return closed_ || !work_.empty(); });
                if (work_.empty()) return;
                work = std::move(work_.front());
                work_.pop_front();
            }
            if (int delay = DelayMicroseconds.load()) std::this_thread::sleep_for(std::chrono::microseconds(delay));
            work();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> work_;
    bool closed_ = false;
};

struct Context;

struct Stream {
    Context* context;
    bool waits_for_default;  // created without CU_STREAM_NON_BLOCKING
    std::shared_ptr<Queue> queue;
};

}
