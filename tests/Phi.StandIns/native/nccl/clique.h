// The ranks of one unique id, and how their buffers meet. Every copy is made under the clique's lock, so that a rank which aborts (and
// then frees its buffers) is never read from.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace standin {

enum class Kind { AllGather, AllReduce, Broadcast, Send, Receive };

// One call, in bytes; an all-reduce adds bytes.
struct Task {
    Kind kind;
    const char* send;
    char* receive;
    size_t bytes;
    int peer;  // or root

    std::string Text() const {
        auto size = std::to_string(bytes);
        switch (kind) {
            case Kind::AllGather: return "allgather " + size;
            case Kind::AllReduce: return "allreduce " + size;
            case Kind::Broadcast: return "broadcast " + size + " from " + std::to_string(peer);
            case Kind::Send: return "send " + size + " to " + std::to_string(peer);
            default: return "recv " + size + " from " + std::to_string(peer);
        }
    }
};

void Violation(const std::string& text);

class Clique {
public:
    explicit Clique(int size) : joined_(size) {}

    int Size() const { return static_cast<int>(joined_.size()); }

    // Each returns false when `stop` was set before the others came.
    bool Join(int rank, void* device, const std::atomic<bool>& stop, bool* shares_device) {
        std::unique_lock<std::mutex> hold(mutex_);
        joined_[rank] = device;
        changed_.notify_all();
        bool came = Until(hold, stop, [&] {
            for (auto each : joined_) {
                if (each == nullptr) return false;
            }
            return true;
        });
        for (int other = 0; other < Size(); other++) *shares_device = *shares_device || (other != rank && joined_[other] == device);
        return came;
    }

    bool Collective(int rank, long sequence, const Task& task, const std::atomic<bool>& stop) {
        std::unique_lock<std::mutex> hold(mutex_);
        auto& meeting = meetings_[sequence];
        meeting.tasks.resize(Size());
        meeting.tasks[rank] = &task;
        meeting.text = meeting.text.empty() ? task.Text() : meeting.text;
        if (meeting.text != task.Text()) Violation("collective " + std::to_string(sequence) + " is " + meeting.text + " on one rank and " + task.Text() + " on rank " + std::to_string(rank));
        meeting.arrived++;
        changed_.notify_all();
        if (!Until(hold, stop, [&] { return meeting.arrived == Size() && !meeting.is_broken; })) {
            meeting.is_broken = true;
            return false;
        }
        Copy(meeting.tasks, rank, task);
        meeting.copied++;
        changed_.notify_all();
        bool all = Until(hold, stop, [&] { return meeting.copied == Size(); });
        meeting.is_broken = meeting.is_broken || !all;
        if (++meeting.gone == Size()) meetings_.erase(sequence);
        return all;
    }

    bool Exchange(int rank, const std::vector<Task>& tasks, const std::atomic<bool>& stop) {
        std::unique_lock<std::mutex> hold(mutex_);
        if (ExchangeAll(hold, rank, tasks, stop)) return true;
        // Nobody may read from what is gone.
        for (auto& [pair, box] : mail_) {
            if (pair.first == rank) box.clear();
        }
        return false;
    }

    // A rank that stops must be seen by those who wait.
    void Wake() {
        std::lock_guard<std::mutex> hold(mutex_);
        changed_.notify_all();
    }

private:
    bool ExchangeAll(std::unique_lock<std::mutex>& hold, int rank, const std::vector<Task>& tasks, const std::atomic<bool>& stop) {
        std::vector<std::shared_ptr<bool>> taken;
        for (auto& task : tasks) {
            if (task.kind != Kind::Send) continue;
            taken.push_back(std::make_shared<bool>(false));
            mail_[{rank, task.peer}].push_back({&task, taken.back()});
        }
        changed_.notify_all();
        for (auto& task : tasks) {
            if (task.kind != Kind::Receive) continue;
            auto& box = mail_[{task.peer, rank}];
            if (!Until(hold, stop, [&] { return !box.empty(); })) return false;
            auto [sent, mark] = box.front();
            box.pop_front();
            if (sent->bytes != task.bytes) Violation("rank " + std::to_string(rank) + " expects " + task.Text() + " and gets " + std::to_string(sent->bytes));
            std::memcpy(task.receive, sent->send, std::min(sent->bytes, task.bytes));
            *mark = true;
            changed_.notify_all();
        }
        return Until(hold, stop, [&] {
            for (auto& mark : taken) {
                if (!*mark) return false;
            }
            return true;
        });
    }

    struct Meeting {
        std::vector<const Task*> tasks;
        std::string text;
        int arrived = 0;
        int copied = 0;
        int gone = 0;
        bool is_broken = false;  // a rank went, and its buffers with it
    };

    template <typename Condition>
    bool Until(std::unique_lock<std::mutex>& hold, const std::atomic<bool>& stop, Condition condition) {
        changed_.wait(hold, [&] { return stop.load() || condition(); });
        return !stop.load();
    }

    static void Copy(const std::vector<const Task*>& tasks, int rank, const Task& task) {
        switch (task.kind) {
            case Kind::AllGather:
                for (size_t peer = 0; peer < tasks.size(); peer++) std::memmove(task.receive + peer * task.bytes, tasks[peer]->send, task.bytes);
                break;
            case Kind::Broadcast:
                if (rank != task.peer) std::memcpy(task.receive, tasks[task.peer]->send, task.bytes);
                break;
            default:
                // Adds zeros only: the product's barrier.
                for (size_t i = 0; i < task.bytes; i++) {
                    char sum = 0;
                    for (auto each : tasks) sum = static_cast<char>(sum + each->send[i]);
                    if (sum != 0) Violation("an all-reduce of other values than zeros");
                }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<void*> joined_;
    std::map<long, Meeting> meetings_;
    std::map<std::pair<int, int>, std::deque<std::pair<const Task*, std::shared_ptr<bool>>>> mail_;
};

}
