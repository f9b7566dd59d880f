// Runs a thread block on one thread of the CPU: each of its threads ("lanes") is a fiber that runs until it waits for others, at a shuffle
// or a barrier. A block whose lanes wait for lanes that never come is a failed launch, where a GPU would hang or do anything.
#pragma once
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "../cuda/kernel.h"

namespace standin {

constexpr unsigned MaxLanes = 1024;
constexpr unsigned WarpSize = 32;
constexpr size_t StackBytes = 128 << 10;

struct Lane {
    StandInDim thread;
    unsigned warp, index;
    bool started, finished;
    jmp_buf state;
    char* stack;
};

// Where lanes meet. Two sets of slots: a lane can be at most one meeting ahead of the slowest.
struct Meeting {
    unsigned size, arrived, phase;
    uint64_t slots[2][WarpSize];
};

struct Block {
    StandInDim grid_dim, block_dim, index;
    unsigned lanes;
    unsigned long progress;  // lanes that came to a meeting or to their end
    Lane* current;
    jmp_buf scheduler;
    void (*job)(void*);
    void* argument;
    Meeting all;
    Meeting warps[MaxLanes / WarpSize];
    Lane lane[MaxLanes];

    ~Block() { Forget(); }

    // Lanes that stopped in the middle of a kernel begin anew.
    void Forget() {
        for (auto& one : lane) {
            if (one.stack != nullptr) munmap(one.stack, StackBytes);
            one.stack = nullptr;
            one.started = false;
        }
    }
};

inline thread_local Block block;

__attribute__((noinline)) inline void Yield() {
    if (_setjmp(block.current->state) == 0) _longjmp(block.scheduler, 1);
}

inline void Enter() {
    for (;;) {
        block.job(block.argument);
        block.current->finished = true;
        block.progress++;
        Yield();
    }
}

__attribute__((noinline)) inline void Resume(Lane* lane) {
    block.current = lane;
    if (_setjmp(block.scheduler) != 0) return;
    if (block.current->started) _longjmp(block.current->state, 1);
    block.current->started = true;
    block.current->stack = static_cast<char*>(mmap(nullptr, StackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = block.current->stack;
    context.uc_stack.ss_size = StackBytes;
    context.uc_link = nullptr;
    makecontext(&context, Enter, 0);
    setcontext(&context);
}

// Returns the slots of the meeting, of which this lane's holds the value, when every lane has come.
inline const uint64_t* Meet(Meeting& meeting, unsigned slot, uint64_t value) {
    unsigned mine = meeting.phase;
    meeting.slots[mine & 1][slot] = value;
    block.progress++;
    if (++meeting.arrived == meeting.size) {
        meeting.arrived = 0;
        meeting.phase++;
    } else {
        while (*static_cast<volatile unsigned*>(&meeting.phase) == mine) Yield();
    }
    return meeting.slots[mine & 1];
}

inline bool RunBlock() {
    block.all.size = block.lanes;
    block.all.arrived = 0;
    for (unsigned i = 0; i < block.lanes; i++) {
        auto& lane = block.lane[i];
        lane.thread = {i % block.block_dim.x, i / block.block_dim.x % block.block_dim.y, i / block.block_dim.x / block.block_dim.y};
        lane.warp = i / WarpSize;
        lane.index = i % WarpSize;
        lane.finished = false;
        auto& warp = block.warps[lane.warp];
        warp.size = lane.index + 1;
        warp.arrived = 0;
    }
    for (unsigned left = block.lanes; left > 0;) {
        unsigned long before = block.progress;
        left = 0;
        for (unsigned i = 0; i < block.lanes; i++) {
            if (block.lane[i].finished) continue;
            Resume(&block.lane[i]);
            left += !block.lane[i].finished;
        }
        if (left > 0 && block.progress == before) {
            fprintf(stderr, "stand-in kernel: %u of %u lanes wait at a shuffle or a barrier that the others never reach\n", left, block.lanes);
            block.Forget();
            return false;
        }
    }
    return true;
}

}
