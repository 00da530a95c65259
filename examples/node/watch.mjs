// Tells what happens in a store while it happens, in a Node program. Node calls C through a small
// addon (sessions.c, which says how to build it); the watch's socket is an ordinary net.Socket.
//
//   node watch.mjs my-store
//
// No timer, no thread, no polling. Ends with the input (Ctrl-D).
import { createRequire } from 'node:module';
import net from 'node:net';

const sessions = createRequire(import.meta.url)(process.env.SESSIONS_ADDON ?? './sessions.node');
const path = process.argv[2] ?? 'watch-store';
const store = sessions.openStore(path);
const watch = sessions.openWatch(store);

// A net.Socket closes what it polls, so it gets a descriptor of its own.
const socket = new net.Socket({ fd: sessions.watchSocket(watch) });

// The bytes mean nothing but that there is something. Node has read them, which is fine: the socket
// gets another one for what comes after this.
socket.on('data', () => {
  let page;
  do {
    page = JSON.parse(sessions.watchNext(watch)); // answers at once
    for (const { kind, session_id, detail } of page.changes) {
      console.log(kind, session_id, JSON.stringify(detail));
    }
  } while (page.has_more);
});

console.log('watching', path);

process.stdin.resume().on('end', () => {
  socket.destroy();
  sessions.destroyWatch(watch);
  sessions.closeStore(store);
});
