// Stand-in for NCCL (docs.nvidia.com/deeplearning/nccl): ranks are threads of one process, each with a device of the driver's stand-in.
// Communicators never block: work is put in the stream by a thread, as NCCL does, and done there when every rank's stream has come to it.
// What NCCL forbids is written down as a violation.
#include <chrono>
#include <set>
#include <thread>

#include "clique.h"

extern "C" {
int cuCtxGetCurrent(void** context);
int cuCtxSetCurrent(void* context);
int cuCtxGetDevice(int* device);
int cuCtxSynchronize();
int cuLaunchHostFunc(void* stream, void (*function)(void*), void* argument);
}

namespace standin {

enum Result { Success = 0, UnhandledCudaError = 1, SystemError = 2, InvalidArgument = 4, InvalidUsage = 5, RemoteError = 6, InProgress = 7 };

constexpr int UniqueIdBytes = 128;
constexpr unsigned ConfigMagic = 0xcafebeef;

struct UniqueId {
    unsigned char bytes[UniqueIdBytes];
};

struct Config {
    size_t size;
    unsigned magic;
    unsigned version;
    int blocking;
};

struct State {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Clique>> cliques;
    std::map<int, std::string> traces;
    std::string violations;
    std::string last_error;
    std::set<struct Comm*> comms;
    unsigned long ids = 0;
};

static State& Global() {
    static State* state = new State();
    return *state;
}

void Violation(const std::string& text) {
    std::lock_guard<std::mutex> hold(Global().mutex);
    Global().violations += text + "\n";
    Global().last_error = text;
}

struct Comm {
    std::shared_ptr<Clique> clique;
    int rank = 0;
    int device = 0;
    void* context = nullptr;
    std::atomic<int> state{InProgress};
    std::atomic<bool> stop{false};
    std::atomic<bool> is_dead{false};
    long sequence = 0;
    std::mutex mutex;
    std::condition_variable changed;
    int threads = 0;  // that put work in a stream, or join
    int running = 0;  // pieces of work in streams

    void Trace(const std::string& text) {
        std::lock_guard<std::mutex> hold(Global().mutex);
        Global().traces[device] += text + "\n";
    }

    void Count(int* counter, int by) {
        std::lock_guard<std::mutex> hold(mutex);
        *counter += by;
        changed.notify_all();
    }

    void WaitForThreads() {
        std::unique_lock<std::mutex> hold(mutex);
        changed.wait(hold, [this] { return threads == 0; });
    }

    void WaitForWork() {
        std::unique_lock<std::mutex> hold(mutex);
        changed.wait(hold, [this] { return running == 0 || stop; });
    }

    template <typename Work>
    void InBackground(Work work) {
        Count(&threads, 1);
        std::thread([this, work] {
            cuCtxSetCurrent(context);
            work();
            Count(&threads, -1);
        }).detach();
    }
};

// The calls of one group on one communicator.
struct Launch {
    Comm* comm;
    std::vector<Task> tasks;
    long sequence;

    static void Run(void* argument) {
        std::unique_ptr<Launch> launch(static_cast<Launch*>(argument));
        auto comm = launch->comm;
        auto kind = launch->tasks[0].kind;
        if (!comm->stop) {
            if (kind == Kind::Send || kind == Kind::Receive) comm->clique->Exchange(comm->rank, launch->tasks, comm->stop);
            else comm->clique->Collective(comm->rank, launch->sequence, launch->tasks[0], comm->stop);
        }
        comm->Count(&comm->running, -1);
    }
};

struct Group {
    int depth = 0;
    Comm* comm = nullptr;
    void* stream = nullptr;
    std::vector<Task> tasks;
};

static thread_local Group group;

static int Fail(int result, const std::string& text) {
    Violation(text);
    return result;
}

static int Check(Comm* comm, const char* call) {
    if (comm == nullptr) return Fail(InvalidArgument, std::string(call) + " without a communicator");
    std::lock_guard<std::mutex> hold(Global().mutex);
    if (Global().comms.count(comm) != 0 && !comm->is_dead) return Success;
    Global().violations += std::string(call) + " after destroy or abort\n";
    return InvalidArgument;
}

static int Issue(Comm* comm, void* stream, std::vector<Task> tasks) {
    auto launch = new Launch{comm, std::move(tasks), 0};
    auto kind = launch->tasks[0].kind;
    if (kind != Kind::Send && kind != Kind::Receive) launch->sequence = comm->sequence++;
    comm->state = InProgress;
    comm->Count(&comm->running, 1);
    comm->InBackground([=] {
        // Longer than a caller that does not wait for it takes to record an event.
        std::this_thread::sleep_for(std::chrono::microseconds(20));
        int failed = cuLaunchHostFunc(stream, Launch::Run, launch);
        int expected = InProgress;
        comm->state.compare_exchange_strong(expected, failed == 0 ? Success : UnhandledCudaError);
    });
    return InProgress;
}

static int Add(Comm* comm, void* stream, const Task& task) {
    auto text = task.Text();
    if (int result = Check(comm, text.c_str())) return result;
    comm->Trace(text);
    if (comm->state == InProgress) return Fail(InvalidArgument, text + " before the call before it was ready");
    if (comm->state != Success) return comm->state;
    bool is_pair = task.kind == Kind::Send || task.kind == Kind::Receive;
    if (task.bytes == 0) Violation(text + ": an empty message");
    if ((is_pair || task.kind == Kind::Broadcast) && (task.peer < 0 || task.peer >= comm->clique->Size())) return Fail(InvalidArgument, text + ": no such rank");
    if (task.kind == Kind::AllGather) {
        auto own = task.receive + comm->rank * task.bytes;
        bool overlaps = task.send < task.receive + comm->clique->Size() * task.bytes && task.send + task.bytes > task.receive;
        if (overlaps && task.send != own) Violation(text + ": its source lies in its destination at another rank's place");
    }
    if (group.depth == 0) return Issue(comm, stream, {task});
    if (!is_pair) return Fail(InvalidUsage, text + " in a group with others: not known to this stand-in");
    if (group.comm != nullptr && (group.comm != comm || group.stream != stream)) return Fail(InvalidUsage, "a group of two communicators or streams");
    group.comm = comm;
    group.stream = stream;
    group.tasks.push_back(task);
    return Success;
}

static void TraceOnDevice(const std::string& text) {
    int device = -1;
    if (cuCtxGetDevice(&device) != 0) Violation(text + " without a current device");
    std::lock_guard<std::mutex> hold(Global().mutex);
    Global().traces[device] += text + "\n";
}

// Stops what runs, and then waits for the device, as NCCL does when it frees its memory.
static void Stop(Comm* comm) {
    comm->stop = true;
    comm->clique->Wake();
    {
        std::lock_guard<std::mutex> hold(comm->mutex);
        comm->changed.notify_all();
    }
    comm->WaitForThreads();
    void* before = nullptr;
    cuCtxGetCurrent(&before);
    cuCtxSetCurrent(comm->context);
    cuCtxSynchronize();
    cuCtxSetCurrent(before);
}

static int Take(std::string* text, char* buffer, int size) {
    std::lock_guard<std::mutex> hold(Global().mutex);
    auto length = std::min<size_t>(text->size(), size - 1);
    std::memcpy(buffer, text->data(), length);
    buffer[length] = 0;
    text->clear();
    return static_cast<int>(length);
}

}

using namespace standin;

#define EXPORT extern "C" __attribute__((visibility("default")))

// The calls made on a device since it was last asked, a line each.
EXPORT int standInNcclTrace(int device, char* buffer, int size) {
    std::string* text;
    {
        std::lock_guard<std::mutex> hold(Global().mutex);
        text = &Global().traces[device];
    }
    return Take(text, buffer, size);
}

EXPORT int standInNcclViolations(char* buffer, int size) { return Take(&Global().violations, buffer, size); }

// An error of the network, as a device's communicators tell it from now on.
EXPORT int standInNcclFail(int device, int result) {
    std::lock_guard<std::mutex> hold(Global().mutex);
    Global().last_error = "said by the stand-in for NCCL";
    for (auto comm : Global().comms) {
        if (comm->device == device && !comm->is_dead) comm->state = result;
    }
    return Success;
}

EXPORT const char* ncclGetErrorString(int result) {
    switch (result) {
        case Success: return "no error";
        case UnhandledCudaError: return "unhandled cuda error";
        case SystemError: return "unhandled system error";
        case InvalidArgument: return "invalid argument";
        case InvalidUsage: return "invalid usage";
        case RemoteError: return "remote process exited or there was a network error";
        case InProgress: return "in progress";
        default: return "unknown result code";
    }
}

EXPORT const char* ncclGetLastError(Comm*) {
    static thread_local std::string text;
    std::lock_guard<std::mutex> hold(Global().mutex);
    text = Global().last_error;
    return text.c_str();
}

EXPORT int ncclGetVersion(int* version) { *version = 22705; return Success; }

EXPORT int ncclGetUniqueId(UniqueId* id) {
    std::lock_guard<std::mutex> hold(Global().mutex);
    auto number = ++Global().ids;
    std::memcpy(id->bytes, &number, sizeof number);
    for (int i = sizeof number; i < UniqueIdBytes; i++) id->bytes[i] = static_cast<unsigned char>(i + number);
    return Success;
}

EXPORT int ncclCommInitRankConfig(Comm** made, int ranks, UniqueId id, int rank, const Config* config) {
    *made = nullptr;
    if (config == nullptr || config->size < sizeof(Config) || config->magic != ConfigMagic || config->version < 21400 || config->blocking != 0) return Fail(InvalidArgument, "a configuration that is not one, or blocks");
    unsigned long number;
    std::memcpy(&number, id.bytes, sizeof number);
    for (int i = sizeof number; i < UniqueIdBytes; i++) {
        if (id.bytes[i] != static_cast<unsigned char>(i + number)) return Fail(InvalidArgument, "a unique id that did not come whole");
    }
    if (ranks < 1 || rank < 0 || rank >= ranks) return Fail(InvalidArgument, "a rank that is not in its communicator");
    auto comm = new Comm();
    cuCtxGetCurrent(&comm->context);
    if (comm->context == nullptr || cuCtxGetDevice(&comm->device) != 0) return Fail(UnhandledCudaError, "no current device");
    comm->rank = rank;
    {
        std::lock_guard<std::mutex> hold(Global().mutex);
        auto& clique = Global().cliques[std::string(reinterpret_cast<char*>(id.bytes), UniqueIdBytes)];
        if (clique == nullptr) clique = std::make_shared<Clique>(ranks);
        comm->clique = clique;
        Global().comms.insert(comm);
    }
    comm->Trace("init " + std::to_string(rank) + " of " + std::to_string(ranks));
    comm->InBackground([comm] {
        bool shares_device = false;
        bool came = comm->clique->Join(comm->rank, comm->context, comm->stop, &shares_device);
        int expected = InProgress;
        comm->state.compare_exchange_strong(expected, !came ? SystemError : shares_device ? InvalidUsage : Success);
    });
    *made = comm;
    return InProgress;
}

EXPORT int ncclCommGetAsyncError(Comm* comm, int* state) {
    if (int result = Check(comm, "a question for errors")) return result;
    *state = comm->state;
    return Success;
}

EXPORT int ncclCommFinalize(Comm* comm) {
    if (int result = Check(comm, "finalize")) return result;
    comm->Trace("finalize");
    if (comm->state != Success) return comm->state == InProgress ? Fail(InvalidArgument, "finalize before the call before it was ready") : comm->state.load();
    comm->state = InProgress;
    comm->InBackground([comm] {
        comm->WaitForWork();
        int expected = InProgress;
        comm->state.compare_exchange_strong(expected, Success);
    });
    return comm->state;
}

EXPORT int ncclCommDestroy(Comm* comm) {
    if (int result = Check(comm, "destroy")) return result;
    comm->Trace("destroy");
    comm->WaitForWork();
    comm->is_dead = true;
    Stop(comm);
    return Success;
}

EXPORT int ncclCommAbort(Comm* comm) {
    if (int result = Check(comm, "abort")) return result;
    comm->Trace("abort");
    comm->is_dead = true;
    Stop(comm);
    return Success;
}

EXPORT int ncclGroupStart() {
    TraceOnDevice("group start");
    group.depth++;
    return Success;
}

EXPORT int ncclGroupEnd() {
    TraceOnDevice("group end");
    if (group.depth == 0) return Fail(InvalidUsage, "a group's end without its start");
    if (--group.depth > 0 || group.tasks.empty()) return Success;
    auto done = std::move(group);
    group = Group();
    return Issue(done.comm, done.stream, std::move(done.tasks));
}

EXPORT int ncclAllGather(const char* send, char* receive, size_t count, int type, Comm* comm, void* stream) {
    if (type > 1) return Fail(InvalidArgument, "a type that this stand-in does not know");
    return Add(comm, stream, {Kind::AllGather, send, receive, count, -1});
}

EXPORT int ncclAllReduce(const char* send, char* receive, size_t count, int type, int operation, Comm* comm, void* stream) {
    if (type > 1 || operation != 0) return Fail(InvalidArgument, "a type or operation that this stand-in does not know");
    return Add(comm, stream, {Kind::AllReduce, send, receive, count, -1});
}

EXPORT int ncclBroadcast(const char* send, char* receive, size_t count, int type, int root, Comm* comm, void* stream) {
    if (type > 1) return Fail(InvalidArgument, "a type that this stand-in does not know");
    return Add(comm, stream, {Kind::Broadcast, send, receive, count, root});
}

EXPORT int ncclSend(const char* send, size_t count, int type, int peer, Comm* comm, void* stream) {
    if (type > 1) return Fail(InvalidArgument, "a type that this stand-in does not know");
    return Add(comm, stream, {Kind::Send, send, nullptr, count, peer});
}

EXPORT int ncclRecv(char* receive, size_t count, int type, int peer, Comm* comm, void* stream) {
    if (type > 1) return Fail(InvalidArgument, "a type that this stand-in does not know");
    return Add(comm, stream, {Kind::Receive, nullptr, receive, count, peer});
}
