const eventSource = new EventSource('/api/v1/events/stream', {
  headers: {
    'Authorization': `Bearer ${token}`
  }
});

eventSource.addEventListener('task_created', (event) => {
  const data = JSON.parse(event.data);
  console.log('Task created:', data);
});

eventSource.addEventListener('status_changed', (event) => {
  const data = JSON.parse(event.data);
  console.log('Status changed:', data);
});

eventSource.addEventListener('ping', (event) => {
  console.log('Ping received');
});

eventSource.onerror = (error) => {
  console.error('SSE error:', error);
};
