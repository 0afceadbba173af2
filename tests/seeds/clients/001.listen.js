const eventSource = new EventSource('/ai/artifact/events/stream');
console.log('Listening for artifact events...');
