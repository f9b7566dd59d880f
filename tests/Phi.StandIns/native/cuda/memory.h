// "Device" memory of the stand-in: host memory between guard bytes, poisoned when it is allocated and when it is freed, so that a read of
// memory nobody wrote, or of memory that is gone, shows as nonsense.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace standin {

constexpr size_t Guard = 256;
constexpr unsigned char Poison = 0xA5;
constexpr unsigned char GuardByte = 0x5C;

class Memory {
public:
    void* Allocate(size_t bytes, unsigned char fill) {
        auto base = static_cast<unsigned char*>(std::aligned_alloc(Guard, 2 * Guard + (bytes + Guard - 1) / Guard * Guard));
        if (base == nullptr) return nullptr;
        std::memset(base, GuardByte, Guard);
        std::memset(base + Guard, fill, bytes);
        std::memset(base + Guard + bytes, GuardByte, Guard);
        std::lock_guard<std::mutex> hold(mutex_);
        blocks_[reinterpret_cast<uintptr_t>(base + Guard)] = bytes;
        return base + Guard;
    }

    enum class Freed { Done, Unknown, Overrun };

    Freed Free(void* memory) {
        std::lock_guard<std::mutex> hold(mutex_);
        auto found = blocks_.find(reinterpret_cast<uintptr_t>(memory));
        if (found == blocks_.end()) return Freed::Unknown;
        auto data = static_cast<unsigned char*>(memory);
        bool intact = true;
        for (size_t i = 0; i < Guard; i++) intact = intact && data[-static_cast<long>(i) - 1] == GuardByte && data[found->second + i] == GuardByte;
        if (!intact) std::fprintf(stderr, "stand-in driver: bytes before or behind an allocation of %zu bytes were overwritten\n", found->second);
        std::memset(data, Poison, found->second);
        std::free(data - Guard);
        blocks_.erase(found);
        return intact ? Freed::Done : Freed::Overrun;
    }

    bool Contains(const void* memory) {
        std::lock_guard<std::mutex> hold(mutex_);
        auto block = Find(memory);
        return block != blocks_.end();
    }

    // False where the range starts in an allocation and leaves it. Other memory is taken on trust: tensors are host memory here.
    bool Allows(const void* memory, size_t bytes) {
        std::lock_guard<std::mutex> hold(mutex_);
        auto block = Find(memory);
        return block == blocks_.end() || reinterpret_cast<uintptr_t>(memory) + bytes <= block->first + block->second;
    }

    size_t Count() {
        std::lock_guard<std::mutex> hold(mutex_);
        return blocks_.size();
    }

private:
    std::map<uintptr_t, size_t>::iterator Find(const void* memory) {
        auto address = reinterpret_cast<uintptr_t>(memory);
        auto next = blocks_.upper_bound(address);
        if (next == blocks_.begin()) return blocks_.end();
        --next;
        return address < next->first + next->second ? next : blocks_.end();
    }

    std::mutex mutex_;
    std::map<uintptr_t, size_t> blocks_;
};

}
