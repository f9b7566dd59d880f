// Stand-in for the CUDA driver: the calls of the driver API (docs.nvidia.com/cuda/cuda-driver-api) that the product uses, on a machine
// without a GPU. Device memory is host memory; a kernel runs on the CPU (kernel.h).
#include <dlfcn.h>

#include <set>
#include <string>
#include <vector>

#include "kernel.h"
#include "memory.h"
#include "streams.h"

namespace standin {

enum Result { Success = 0, InvalidValue = 1, OutOfMemory = 2, NotInitialized = 3, InvalidDevice = 101, InvalidImage = 200, InvalidContext = 201, NotFound = 500, NotReady = 600, IllegalAddress = 700, LaunchFailed = 719 };

constexpr int MaxDevices = 64;

struct Context {
    int device = 0;
    int references = 0;
    std::mutex mutex;
    std::set<Stream*> streams;
};

struct Module {
    void* library;
};

struct State {
    std::atomic<bool> initialized{false};
    std::atomic<int> devices{8};
    // A failure of queued work; told once by the next call that looks, where a real driver tells it for ever.
    std::atomic<int> failure{Success};
    std::atomic<long> launches{0};
    std::mutex mutex;
    Context contexts[MaxDevices];
    Memory device_memory;
    Memory host_memory;
};

// Never destroyed: threads of streams may outlive the exit of main.
static State& Global() {
    static State* state = new State();
    return *state;
}

static thread_local Context* current = nullptr;

static int Failure() { return Global().failure.exchange(Success); }

static std::vector<std::shared_ptr<Queue>> Queues(Context* context, bool all) {
    std::lock_guard<std::mutex> hold(context->mutex);
    std::vector<std::shared_ptr<Queue>> queues;
    for (auto stream : context->streams) {
        if (all || stream->waits_for_default) queues.push_back(stream->queue);
    }
    return queues;
}

static int Put(void* stream, std::function<void()> work) {
    if (current == nullptr) return InvalidContext;
    if (stream == nullptr) {
        for (auto& queue : Queues(current, false)) queue->Drain();
        work();
    } else {
        static_cast<Stream*>(stream)->queue->Put(std::move(work));
    }
    return Failure();
}

static int Synchronize(void* stream) {
    if (current == nullptr) return InvalidContext;
    if (stream != nullptr) {
        static_cast<Stream*>(stream)->queue->Drain();
    } else {
        for (auto& queue : Queues(current, false)) queue->Drain();
    }
    return Failure();
}

}

using namespace standin;

#define EXPORT extern "C" __attribute__((visibility("default"))) int

// How many devices there are (8 at first), and a pause before each piece of queued work (none at first), which makes races show.
EXPORT standInCudaSetDevices(int count) { Global().devices = count; return Success; }
EXPORT standInCudaSetDelay(int microseconds) { DelayMicroseconds = microseconds; return Success; }
EXPORT standInCudaLiveAllocations() { return static_cast<int>(Global().device_memory.Count()); }
EXPORT standInCudaLiveHostAllocations() { return static_cast<int>(Global().host_memory.Count()); }
EXPORT standInCudaLaunches() { return static_cast<int>(Global().launches.load()); }

// Work that ends when the gate opens; what is behind it in the stream waits.
EXPORT standInCudaHold(void* stream, void** gate) {
    auto closed = new std::shared_ptr<Mark>(std::make_shared<Mark>());
    auto mark = *closed;
    *gate = closed;
    return Put(stream, [=] { mark->Wait(); });
}

EXPORT standInCudaOpen(void* gate) {
    auto closed = static_cast<std::shared_ptr<Mark>*>(gate);
    (*closed)->Set();
    delete closed;
    return Success;
}

EXPORT cuInit(unsigned) {
    if (auto delay = std::getenv("PHI_STANDIN_DELAY_MICROSECONDS")) DelayMicroseconds = std::atoi(delay);
    Global().initialized = true;
    return Success;
}

EXPORT cuGetErrorName(int error, const char** name) {
    switch (error) {
        case Success: *name = "CUDA_SUCCESS"; break;
        case InvalidValue: *name = "CUDA_ERROR_INVALID_VALUE"; break;
        case OutOfMemory: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
        case NotInitialized: *name = "CUDA_ERROR_NOT_INITIALIZED"; break;
        case InvalidDevice: *name = "CUDA_ERROR_INVALID_DEVICE"; break;
        case InvalidImage: *name = "CUDA_ERROR_INVALID_IMAGE"; break;
        case InvalidContext: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
        case NotFound: *name = "CUDA_ERROR_NOT_FOUND"; break;
        case NotReady: *name = "CUDA_ERROR_NOT_READY"; break;
        case IllegalAddress: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
        case LaunchFailed: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
        default: *name = nullptr; return InvalidValue;
    }
    return Success;
}

EXPORT cuGetErrorString(int error, const char** text) {
    int result = cuGetErrorName(error, text);
    if (result == Success) *text = "said by the stand-in for the driver";
    return result;
}

EXPORT cuDeviceGetCount(int* count) { *count = Global().devices; return Global().initialized ? Success : NotInitialized; }

EXPORT cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return !Global().initialized ? NotInitialized : ordinal >= 0 && ordinal < Global().devices ? Success : InvalidDevice;
}

EXPORT cuDeviceGetName(char* name, int length, int device) { std::snprintf(name, length, "stand-in %d", device); return Success; }

EXPORT cuDeviceGetAttribute(int* value, int attribute, int) {
    switch (attribute) {
        case 16: *value = 2; return Success;   // multiprocessors: few, so that grids stride
        case 75: *value = 8; return Success;   // compute capability
        case 76: *value = 0; return Success;
        default: return InvalidValue;
    }
}

EXPORT cuDevicePrimaryCtxRetain(void** context, int device) {
    std::lock_guard<std::mutex> hold(Global().mutex);
    auto& found = Global().contexts[device];
    found.device = device;
    found.references++;
    *context = &found;
    return Success;
}

EXPORT cuDevicePrimaryCtxRelease_v2(int device) {
    std::lock_guard<std::mutex> hold(Global().mutex);
    return Global().contexts[device].references-- > 0 ? Success : InvalidContext;
}

EXPORT cuCtxSetCurrent(void* context) { current = static_cast<Context*>(context); return Success; }

EXPORT cuCtxGetCurrent(void** context) { *context = current; return Success; }

EXPORT cuCtxSynchronize() {
    if (current == nullptr) return InvalidContext;
    for (auto& queue : Queues(current, true)) queue->Drain();
    return Failure();
}

EXPORT cuMemAlloc_v2(void** memory, size_t bytes) {
    if (current == nullptr) return InvalidContext;
    if (bytes == 0) return InvalidValue;
    *memory = Global().device_memory.Allocate(bytes, Poison);
    return *memory == nullptr ? OutOfMemory : Success;
}

// Waits for the device's work, as the driver does.
EXPORT cuMemFree_v2(void* memory) {
    if (current == nullptr) return InvalidContext;
    for (auto& queue : Queues(current, true)) queue->Drain();
    switch (Global().device_memory.Free(memory)) {
        case Memory::Freed::Unknown: return InvalidValue;
        case Memory::Freed::Overrun: return IllegalAddress;
        default: return Failure();
    }
}

EXPORT cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
    if (current == nullptr) return InvalidContext;
    *memory = Global().host_memory.Allocate(bytes, Poison);
    return *memory == nullptr ? OutOfMemory : Success;
}

EXPORT cuMemFreeHost(void* memory) {
    switch (Global().host_memory.Free(memory)) {
        case Memory::Freed::Unknown: return InvalidValue;
        case Memory::Freed::Overrun: return IllegalAddress;
        default: return Success;
    }
}

// Page-locked memory is read when the copy runs; pageable memory before the call returns.
EXPORT cuMemcpyHtoDAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
    if (!Global().device_memory.Allows(to, bytes)) return InvalidValue;
    if (stream == nullptr || Global().host_memory.Contains(from)) return Put(stream, [=] { std::memcpy(to, from, bytes); });
    auto bytes_now = static_cast<const char*>(from);
    auto staged = std::make_shared<std::vector<char>>(bytes_now, bytes_now + bytes);
    return Put(stream, [=] { std::memcpy(to, staged->data(), bytes); });
}

// To pageable memory: returns when the bytes are there.
EXPORT cuMemcpyDtoHAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
    if (!Global().device_memory.Allows(from, bytes)) return InvalidValue;
    int result = Put(stream, [=] { std::memcpy(to, from, bytes); });
    return result == Success && !Global().host_memory.Contains(to) ? Synchronize(stream) : result;
}

EXPORT cuMemcpyDtoDAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
    if (!Global().device_memory.Allows(to, bytes) || !Global().device_memory.Allows(from, bytes)) return InvalidValue;
    return Put(stream, [=] { std::memmove(to, from, bytes); });
}

EXPORT cuMemsetD8Async(void* to, unsigned char value, size_t bytes, void* stream) {
    if (!Global().device_memory.Allows(to, bytes)) return InvalidValue;
    return Put(stream, [=] { std::memset(to, value, bytes); });
}

EXPORT cuStreamCreate(void** stream, unsigned flags) {
    if (current == nullptr) return InvalidContext;
    auto made = new Stream{current, (flags & 1) == 0, std::make_shared<Queue>()};
    made->queue->Start();
    std::lock_guard<std::mutex> hold(current->mutex);
    current->streams.insert(made);
    *stream = made;
    return Success;
}

EXPORT cuStreamDestroy_v2(void* stream) {
    auto gone = static_cast<Stream*>(stream);
    {
        std::lock_guard<std::mutex> hold(gone->context->mutex);
        gone->context->streams.erase(gone);
    }
    gone->queue->Close();
    delete gone;
    return Success;
}

EXPORT cuStreamSynchronize(void* stream) { return Synchronize(stream); }

EXPORT cuStreamQuery(void* stream) {
    auto mark = std::make_shared<Mark>();
    int result = Put(stream, [=] { mark->Set(); });
    return result != Success ? result : mark->IsDone() ? Success : NotReady;
}

EXPORT cuEventCreate(void** event, unsigned flags) {
    if (current == nullptr) return InvalidContext;
    auto made = new Event();
    made->has_time = (flags & 2) == 0;
    *event = made;
    return Success;
}

EXPORT cuEventDestroy_v2(void* event) { delete static_cast<Event*>(event); return Success; }

EXPORT cuEventRecord(void* event, void* stream) {
    auto placed = static_cast<Event*>(event);
    auto mark = std::make_shared<Mark>();
    {
        std::lock_guard<std::mutex> hold(placed->mutex);
        placed->mark = mark;
    }
    return Put(stream, [=] { mark->Set(); });
}

// Waits for the newest placing at the time of the call; an event never placed is no wait.
EXPORT cuStreamWaitEvent(void* stream, void* event, unsigned) {
    auto mark = static_cast<Event*>(event)->Current();
    return mark == nullptr ? Success : Put(stream, [=] { mark->Wait(); });
}

EXPORT cuEventQuery(void* event) {
    auto mark = static_cast<Event*>(event)->Current();
    return mark != nullptr && !mark->IsDone() ? NotReady : Failure();
}

EXPORT cuEventSynchronize(void* event) {
    auto mark = static_cast<Event*>(event)->Current();
    if (mark != nullptr) mark->Wait();
    return Failure();
}

EXPORT cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    auto from = static_cast<Event*>(start);
    auto to = static_cast<Event*>(end);
    auto first = from->Current();
    auto last = to->Current();
    if (!from->has_time || !to->has_time || first == nullptr || last == nullptr) return 400;
    if (!first->IsDone() || !last->IsDone()) return NotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(last->time - first->time).count();
    return Success;
}

// A function of the host in a stream: what other stand-ins put their work in a stream with.
EXPORT cuLaunchHostFunc(void* stream, void (*function)(void*), void* argument) {
    return Put(stream, [=] { function(argument); });
}

EXPORT cuModuleLoadData(void** module, const char* image) {
    if (current == nullptr) return InvalidContext;
    constexpr size_t prefix = sizeof(STAND_IN_IMAGE) - 1;
    if (std::strncmp(image, STAND_IN_IMAGE, prefix) != 0) return InvalidImage;
    void* library = dlopen(image + prefix, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::fprintf(stderr, "stand-in driver: %s\n", dlerror());
        return InvalidImage;
    }
    *module = new Module{library};
    return Success;
}

EXPORT cuModuleUnload(void* module) {
    auto gone = static_cast<Module*>(module);
    dlclose(gone->library);
    delete gone;
    return Success;
}

EXPORT cuModuleGetFunction(void** function, void* module, const char* name) {
    *function = dlsym(static_cast<Module*>(module)->library, (std::string("stand_in_kernel_") + name).c_str());
    return *function == nullptr ? NotFound : Success;
}

EXPORT cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned, void* stream, void** arguments, void**) {
    unsigned threads = block_x * block_y * block_z;
    if (threads == 0 || threads > 1024 || grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_y > 65535 || grid_z > 65535) return InvalidValue;
    auto kernel = static_cast<const StandInKernel*>(function);
    void* packed = kernel->pack(arguments);
    Global().launches++;
    return Put(stream, [=] {
        if (!kernel->run(packed, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z})) Global().failure = LaunchFailed;
        kernel->release(packed);
    });
}
